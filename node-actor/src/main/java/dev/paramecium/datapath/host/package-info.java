/**
 * The veth pair between the programs and the node's own stack.
 *
 * <pre>
 *   node stack --Transmit--&gt; [cilium_host] --from-host--&gt; redirect      beside the walk
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.host.HostDevice}.
 */
@NullMarked
package dev.paramecium.datapath.host;

import org.jspecify.annotations.NullMarked;
