/**
 * {@code ip} and {@code tc} as iproute2 6.1 prints, {@code arp} as net-tools prints on a node and
 * busybox in a pod.
 *
 * <pre>
 *   Ip --object--&gt; IpLink | IpRoute | IpNeighbour | IpNamespaces
 *                     |
 *                     +-- Devices: KernelView.links() on the node, NamespaceView.links() in a pod
 * </pre>
 *
 * Start at {@link dev.paramecium.inspect.net.Ip}.
 */
@NullMarked
package dev.paramecium.inspect.net;

import org.jspecify.annotations.NullMarked;
