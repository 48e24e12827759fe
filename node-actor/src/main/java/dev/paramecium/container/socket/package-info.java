/**
 * The socket calls of a network namespace, event driven: a process asks, the stack calls back.
 * Everything of one namespace (its stack, its processes) runs on one actor, so no call blocks and
 * no lock is needed.
 *
 * <pre>
 *   container.process  --Sockets-->  container.stack  --frames-->  eth0
 * </pre>
 *
 * Start at {@link dev.paramecium.container.socket.Sockets}.
 */
@NullMarked
package dev.paramecium.container.socket;

import org.jspecify.annotations.NullMarked;
