/**
 * {@code cilium_vxlan}: the tunnel device and what runs at it.
 *
 * <pre>
 *   redirect --Transmit--&gt; [cilium_vxlan] --to-overlay--&gt; encapsulate --&gt; eth0      steps 3 and 6
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.overlay.VxlanDevice}.
 */
@NullMarked
package dev.paramecium.datapath.overlay;

import org.jspecify.annotations.NullMarked;
