package dev.paramecium.syscall;

/**
 * Both ends of a new veth pair: {@code host} stays in the node's namespace, {@code pod} is moved
 * into the pod's.
 */
public record VethPair(LinkInfo host, LinkInfo pod) {}
