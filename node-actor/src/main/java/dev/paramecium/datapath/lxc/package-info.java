/**
 * The node's side of the pods' veth pairs.
 *
 * <pre>
 *   pod eth0 --Receive--&gt; [lxc…] --from-container--&gt; redirect      steps 2 and 7
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.lxc.LxcDevice}.
 */
@NullMarked
package dev.paramecium.datapath.lxc;

import org.jspecify.annotations.NullMarked;
