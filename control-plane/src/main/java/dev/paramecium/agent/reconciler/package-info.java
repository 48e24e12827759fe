/**
 * The one way into the node's BPF maps (after Cilium's {@code statedb/reconciler}): components say
 * what should be there, the reconciler makes it so and keeps it so.
 *
 * <pre>
 *   desired entries --Change--> MapReconciler --- DesiredMap, one per map: key, value, status
 *                                   |  ^
 *                         UpdateMap |  | Ok, Failed (retried alone, with back-off)
 *                         DumpMap   v  |
 *                                  kernel
 *
 *   update, delete: one batch in flight per map     prune: what the dump has and nobody wants
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.reconciler.MapReconciler}.
 */
@NullMarked
package dev.paramecium.agent.reconciler;

import org.jspecify.annotations.NullMarked;
