/**
 * The node's native device and what runs at it.
 *
 * <pre>
 *   cilium_vxlan --Transmit--&gt; [eth0] --to-netdev--&gt; underlay      steps 4 and 5
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.netdev.NativeDevice}.
 */
@NullMarked
package dev.paramecium.datapath.netdev;

import org.jspecify.annotations.NullMarked;
