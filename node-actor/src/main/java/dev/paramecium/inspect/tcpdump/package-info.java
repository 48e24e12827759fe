/**
 * {@code tcpdump} 4.99: frames of any device as text or as a pcap file.
 *
 * <pre>
 *   devices --Frame--&gt; EventQueue --&gt; Capture --Filter--&gt; PacketPrinter --&gt; stdout
 *                                                   \--&gt; PcapWriter   --&gt; -w
 * </pre>
 *
 * Start at {@link dev.paramecium.inspect.tcpdump.Tcpdump}.
 */
@NullMarked
package dev.paramecium.inspect.tcpdump;

import org.jspecify.annotations.NullMarked;
