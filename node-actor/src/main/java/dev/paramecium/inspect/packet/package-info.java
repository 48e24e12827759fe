/**
 * A captured frame taken apart for people to read; it may be cut short anywhere.
 *
 * <pre>
 *   bytes --&gt; Packet: Ethernet [VLAN] IPv4 | ARP; TCP | UDP | ICMP --&gt; tcpdump, cilium monitor
 * </pre>
 *
 * Start at {@link dev.paramecium.inspect.packet.Packet}.
 */
@NullMarked
package dev.paramecium.inspect.packet;

import org.jspecify.annotations.NullMarked;
