/**
 * The servers of well-known images: httpbin, nginx, agnhost, and the stand-in for an image that is
 * not known.
 *
 * <pre>
 *   HttpServer --Exchange--&gt; Httpbin | Nginx | Agnhost | StandIn      each with its ServerStyle and access log
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.server.Httpbin}.
 */
@NullMarked
package dev.paramecium.container.process.server;

import org.jspecify.annotations.NullMarked;
