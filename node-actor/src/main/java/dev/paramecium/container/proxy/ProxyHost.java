package dev.paramecium.container.proxy;

import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;

/**
 * The node that a proxy runs on.
 *
 * @param identities who has an address, in the node's ipcache; the world if nobody is known
 * @param log hears of every message
 */
public record ProxyHost(IntUnaryOperator identities, Consumer<LogRecord> log, DnsAnswers answers) {}
