/**
 * The cilium-agent of a node: what the API server holds becomes entries of the node's BPF maps,
 * through one reconciler.
 *
 * <pre>
 *   CiliumNode, CiliumEndpoint, CiliumIdentity, Pod, Namespace
 *        |  informers
 *        v
 *   CiliumAgent  --desired entries-->  reconciler  --Syscall-->  kernel
 *     |  ^
 *     v  | CNI ADD, DEL (kubelet)
 *   Endpoint, one per pod
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.CiliumAgent}.
 */
@NullMarked
package dev.paramecium.agent;

import org.jspecify.annotations.NullMarked;
