/**
 * The API server's HTTP front, on Netty.
 *
 * <pre>
 *   HTTP  -->  RestHandler  --ApiRequest-->  ApiServer            JSON, Table
 *                           --WatchStream->  (chunks, one JSON a line)
 *                           --ExecStream-->  kubelet              WebSocket
 *                           --LogStream--->  kubelet              chunks
 * </pre>
 *
 * Start at {@link dev.paramecium.apiserver.rest.RestServer}.
 */
@NullMarked
package dev.paramecium.apiserver.rest;

import org.jspecify.annotations.NullMarked;
