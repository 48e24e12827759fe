/**
 * The API server: an event-sourced store of Kubernetes objects and its REST front.
 *
 * <pre>
 *   REST, nodes  --ApiRequest-->  ApiServer  --StoredObject-->  Journal (fsync)
 *                                     |                            |
 *                                     +--ApiReply, ApiWatchEvent <-+
 * </pre>
 *
 * Start at {@link dev.paramecium.apiserver.ApiServer}.
 */
@NullMarked
package dev.paramecium.apiserver;

import org.jspecify.annotations.NullMarked;
