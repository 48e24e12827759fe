/**
 * HTTP/1.0 and 1.1 (RFC 9112) over the sockets of a namespace, for clients and servers.
 *
 * <pre>
 *   TcpConnection --bytes--&gt; MessageParser --head, body, end--&gt; HttpServer --Exchange--&gt; Service
 *                                                         \---&gt; a client (curl, wget)
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.http.MessageParser}.
 */
@NullMarked
package dev.paramecium.container.process.http;

import org.jspecify.annotations.NullMarked;
