/**
 * The API server from outside, over HTTP and WebSocket, for people without kubectl.
 *
 * <pre>
 *   command  -->  ApiHttp  --HTTP-->  api-server
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.client.ApiHttp}.
 */
@NullMarked
package dev.paramecium.deploy.client;

import org.jspecify.annotations.NullMarked;
