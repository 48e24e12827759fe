/**
 * A pod's side of its veth pair.
 *
 * <pre>
 *   pod stack --Transmit--&gt; [eth0] --Receive--&gt; lxc…      steps 1 and 8
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.container.PodInterface}.
 */
@NullMarked
package dev.paramecium.datapath.container;

import org.jspecify.annotations.NullMarked;
