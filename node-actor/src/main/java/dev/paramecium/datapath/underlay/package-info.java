/**
 * The network between the nodes: datagrams (or a TCP stream) that carry the frames which leave one
 * node's {@code eth0} to another's.
 *
 * <pre>
 *   eth0 --send(frames)--&gt;  Underlay  ==UDP 8472 VXLAN, 8473 other frames==&gt;  Underlay --receive(frames)--&gt;  eth0
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.underlay.Underlay}.
 */
@NullMarked
package dev.paramecium.datapath.underlay;

import org.jspecify.annotations.NullMarked;
