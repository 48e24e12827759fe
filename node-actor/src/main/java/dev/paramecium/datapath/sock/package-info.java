/**
 * Programs on sockets instead of packets: services are translated when a process connects, and two
 * local sockets hand their data to each other past all devices.
 *
 * <pre>
 *   connect(VIP:80) --connect4--&gt; connect(backend:8080)         bind() --post_bind4--&gt; allowed?
 *   sendto(VIP:53)  --sendmsg4--&gt; sendto(backend:5353)          recvfrom() --recvmsg4--&gt; from VIP:53
 *
 *   socket established --sock_ops--&gt; cilium_sock_ops            send() --sk_msg--&gt; the peer's receive queue
 * </pre>
 *
 * Programs are attached to the root cgroup, so that every socket of every namespace of the node has
 * them; they run on the thread of the process that calls. {@link
 * dev.paramecium.datapath.sock.Cgroup} holds what is attached. Start at {@link
 * dev.paramecium.datapath.sock.BpfSock}.
 */
@NullMarked
package dev.paramecium.datapath.sock;

import org.jspecify.annotations.NullMarked;
