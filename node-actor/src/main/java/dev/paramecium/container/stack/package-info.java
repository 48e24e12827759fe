/**
 * The network stack of a network namespace, a pod's or the node's own: ARP, IPv4, ICMP, UDP and
 * TCP, on one thread and on the time it is given.
 *
 * <pre>
 *   processes --Sockets--> NetworkStack
 *                            | Tcp   Udp   Icmp       segments, datagrams, messages
 *                            |   \    |    /
 *                            |     Ipv4               routes, fragments, forwarding
 *                            |   Neighbours           ARP
 *   device  --receive-->     |  --FrameSink-->  device
 *   owner   --runTimers-->   | Timers
 * </pre>
 *
 * Start at {@link dev.paramecium.container.stack.NetworkStack}.
 */
@NullMarked
package dev.paramecium.container.stack;

import org.jspecify.annotations.NullMarked;
