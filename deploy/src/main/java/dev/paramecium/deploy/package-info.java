/**
 * The {@code paramecium} command: what a person types, and the processes that it starts.
 *
 * <pre>
 *   Paramecium -> command (one file each) -> client   (HTTP to the API server)
 *                                         -> cluster  (JVMs: control plane, nodes)
 *                                         -> walk     (observations as a story)
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.Paramecium}.
 */
@NullMarked
package dev.paramecium.deploy;

import org.jspecify.annotations.NullMarked;
