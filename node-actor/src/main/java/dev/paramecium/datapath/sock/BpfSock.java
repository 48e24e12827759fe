package dev.paramecium.datapath.sock;

import dev.paramecium.lib.ProgramContext;
import dev.paramecium.map.SocketMaps;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code bpf_sock.o}, once a node, for the root cgroup. {@code bind4} belongs to the health checks
 * of a node that does nothing but load balancing with DSR in IPIP: v1.12.3 does not attach it on a
 * node with pods.
 *
 * @param sections in the order in which {@code init.sh} attaches them
 */
public record BpfSock(List<SocketSection> sections) {

  public BpfSock {
    sections = List.copyOf(sections);
  }

  public static BpfSock compile(ProgramContext context, SocketMaps sockets, SocketLbConfig config) {
    ServiceLookup lookup =
        new ServiceLookup(context.maps().services(), context.maps().ipcache(), config);
    Translation translation = new Translation(context, sockets, lookup, config.hostNamespaceOnly());
    List<SocketSection> sections = new ArrayList<>();
    sections.add(
        section(
            AttachType.CONNECT4,
            call -> {
              translation.forward(call, false);
              return SockAddrProgram.PROCEED;
            }));
    sections.add(section(AttachType.GETPEERNAME4, reverse(translation)));
    if (config.nodePort() && config.bindProtection()) {
      sections.add(section(AttachType.POST_BIND4, new PostBind(lookup)));
    }
    sections.add(
        section(
            AttachType.SENDMSG4,
            call -> {
              translation.forward(call, true);
              return SockAddrProgram.PROCEED;
            }));
    sections.add(section(AttachType.RECVMSG4, reverse(translation)));
    return new BpfSock(sections);
  }

  private static SockAddrProgram reverse(Translation translation) {
    return call -> {
      translation.reverse(call);
      return SockAddrProgram.PROCEED;
    };
  }

  private static SocketSection section(AttachType type, SockAddrProgram program) {
    return new SocketSection(type, new SocketProgram.OnCall(program));
  }
}
