/**
 * What runs in a container: small programs that stand for the real ones ({@code curl}, {@code
 * httpbin}, {@code ping}, …), written against {@link dev.paramecium.container.socket.Sockets}.
 *
 * <pre>
 *   exec / entrypoint  -->  Executable.start(ProcessContext)  -->  Process  --Sockets-->  the namespace's stack
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.Executable}.
 */
@NullMarked
package dev.paramecium.container.process;

import org.jspecify.annotations.NullMarked;
