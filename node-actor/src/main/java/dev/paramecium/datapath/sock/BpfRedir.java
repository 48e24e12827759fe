package dev.paramecium.datapath.sock;

import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.Sock;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.map.SocketMaps;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_redir.o} ({@code bpf/sockops/bpf_redir.c}): what a socket of {@code cilium_sock_ops}
 * sends goes straight into its peer's receive queue, if egress policy allows it. Anything else
 * becomes packets: the program answers SK_PASS in either case.
 */
public final class BpfRedir {

  private final SocketMaps sockets;
  private final SocketPolicy policy;

  private BpfRedir(ProgramContext context, SocketMaps sockets) {
    this.sockets = sockets;
    this.policy = new SocketPolicy(sockets, context.maps().ipcache());
  }

  public static SocketSection compile(ProgramContext context, SocketMaps sockets) {
    return new SocketSection(
        AttachType.SK_MSG_VERDICT, new SocketProgram.OnMessage(new BpfRedir(context, sockets)));
  }

  /** {@code bpf_redir_proxy}: where {@code bpf_msg_redirect_hash} sends the message, or null. */
  @Nullable Sock run(SockOps message) {
    SocketTrace trace = message.trace;
    if (trace != null) {
      trace.function("bpf_redir_proxy");
    }
    int identity = policy.identityOf(message.key.destination(), trace);
    if (policy.egress(identity, message.source, message.key.destinationPort(), trace) < 0) {
      return null;
    }
    Sock peer = sockets.sockOps().find(message.key);
    if (trace != null) {
      trace.lookup(MapNames.SOCK_OPS, message.key.toString(), peer == null ? "" : "a socket");
    }
    return peer;
  }
}
