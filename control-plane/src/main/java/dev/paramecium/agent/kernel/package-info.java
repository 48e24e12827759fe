/**
 * The node's kernel as futures, for kubelet and agent.
 *
 * <pre>
 *   kubelet, agent  --KernelCalls: ask-->  kernel actor (Syscall)
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.kernel.KernelCalls}.
 */
@NullMarked
package dev.paramecium.agent.kernel;

import org.jspecify.annotations.NullMarked;
