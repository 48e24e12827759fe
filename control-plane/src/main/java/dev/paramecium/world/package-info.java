/**
 * What lies outside the cluster: hosts with addresses of their own, behind one gateway that the
 * nodes' default routes lead to.
 *
 * <pre>
 *   nodes' eth0 --frames--&gt; eth0  gateway (a kernel without Cilium, forwarding)
 *                                    |-- world1 --- eth0 of a host: httpbin, echo, a shell
 *                                    `-- world2 --- eth0 of another
 * </pre>
 *
 * Start at {@link dev.paramecium.world.OutsideHost}.
 */
@NullMarked
package dev.paramecium.world;

import org.jspecify.annotations.NullMarked;
