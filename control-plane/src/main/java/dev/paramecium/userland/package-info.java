/**
 * A node's user space as one behaviour.
 *
 * <pre>
 *   NodeUserland
 *     |-- agent    dev.paramecium.agent.CiliumAgent
 *     `-- kubelet  dev.paramecium.kubelet.Kubelet
 * </pre>
 *
 * Start at {@link dev.paramecium.userland.NodeUserland}.
 */
@NullMarked
package dev.paramecium.userland;

import org.jspecify.annotations.NullMarked;
