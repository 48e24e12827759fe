/**
 * A pod: one actor that runs a network namespace, with the stack, the processes, the exec sessions
 * and the container logs inside it.
 *
 * <pre>
 *   kernel --StartContainer, Exec, ReadLog--&gt;  NetworkNamespace  --ContainerEvent, ExecOutput--&gt;
 *                                               | processes   |
 *                                               |  Sockets    |
 *   device --Receive(packets)----------------&gt; | stack       | --FrameSink--&gt;  device
 * </pre>
 *
 * Start at {@link dev.paramecium.container.NetworkNamespace}.
 */
@NullMarked
package dev.paramecium.container;

import org.jspecify.annotations.NullMarked;
