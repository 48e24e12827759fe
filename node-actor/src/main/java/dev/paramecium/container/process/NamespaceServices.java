package dev.paramecium.container.process;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.Sockets;
import java.util.concurrent.Executor;

/**
 * What a namespace gives all of its processes.
 *
 * @param executor runs tasks on the namespace's actor, from any thread
 */
public record NamespaceServices(
    Sockets sockets,
    NamespaceView view,
    Clock clock,
    RandomSource random,
    Executor executor,
    CpuTime cpu) {}
