/**
 * What a node's maps should hold, as a function of the objects that the API server has: each object
 * claims entries, the best claim of an entry is the one that counts. No event order, no history.
 *
 * <pre>
 *   CiliumNode, CiliumEndpoint, local endpoints  --Claims-->  Claim(map, key, value, source)
 *                                                                  |
 *                                              DesiredState: best claim per entry  --Change-->  reconciler
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.desired.DesiredState}.
 */
@NullMarked
package dev.paramecium.agent.desired;

import org.jspecify.annotations.NullMarked;
