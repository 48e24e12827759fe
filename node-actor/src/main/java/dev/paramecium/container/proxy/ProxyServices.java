package dev.paramecium.container.proxy;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TransparentSockets;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;

/**
 * What the proxy works with.
 *
 * @param sockets of the node's own namespace
 * @param transparent the same namespace's
 * @param identities who has an address, in the node's ipcache; the world if nobody is known
 * @param log hears of every message
 */
public record ProxyServices(
    Sockets sockets,
    TransparentSockets transparent,
    Clock clock,
    RandomSource random,
    IntUnaryOperator identities,
    Consumer<LogRecord> log) {}
