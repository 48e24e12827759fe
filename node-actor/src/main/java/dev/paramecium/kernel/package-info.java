/**
 * A node's kernel: the actor that answers system calls, and what it owns.
 *
 * <pre>
 *   Kernel --spawns--&gt; devices, program actors, namespaces
 *     |                                     ^
 *     +--publishes--&gt; KernelView (tools)    | frames
 *     +--opens------&gt; Underlay -------------+
 * </pre>
 *
 * Start at {@link dev.paramecium.kernel.Kernel}.
 */
@NullMarked
package dev.paramecium.kernel;

import org.jspecify.annotations.NullMarked;
