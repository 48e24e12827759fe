package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Address;

/**
 * Which packets a trace follows, in both directions. A packet is recognised by what it carries,
 * never by a change to it.
 *
 * @param source the requester's address
 * @param destination the responder's address
 * @param protocol IP protocol number: 1, 6 or 17
 * @param sourcePort 0 for any
 * @param destinationPort 0 for any; for ICMP the echo identifier
 */
public record TraceFilter(
    Ipv4Address source,
    Ipv4Address destination,
    int protocol,
    int sourcePort,
    int destinationPort) {}
