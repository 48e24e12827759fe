package dev.paramecium.datapath.sock;

import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.map.SocketMaps;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The node's root cgroup: the programs that are attached to it, which every namespace's sockets
 * have, and the sock map's. The kernel attaches; any thread runs what is attached.
 */
public final class Cgroup {

  /** Where it is mounted, as {@code bpftool cgroup tree} prints it. */
  public static final String PATH = "/sys/fs/cgroup";

  /** A program with its function at hand. */
  record OnCall(LoadedSocketProgram loaded, SockAddrProgram program) {}

  record OnEstablished(LoadedSocketProgram loaded, BpfSockops program, SocketMaps maps) {}

  record OnMessage(LoadedSocketProgram loaded, BpfRedir program) {}

  private final AtomicLong cookies = new AtomicLong();
  private final AtomicLong netnsCookies = new AtomicLong(SockAddr.HOST_NETNS_COOKIE);
  private final SocketTracer tracer;

  private volatile List<LoadedSocketProgram> attached = List.of();
  volatile @Nullable OnCall connect;
  volatile @Nullable OnCall getpeername;
  volatile @Nullable OnCall postBind;
  volatile @Nullable OnCall sendmsg;
  volatile @Nullable OnCall recvmsg;
  volatile @Nullable OnEstablished established;
  volatile @Nullable OnMessage message;

  /**
   * @param trace hears of calls that it follows
   */
  public Cgroup(PacketTrace trace) {
    this.tracer = new SocketTracer(trace);
  }

  /** The hooks of the node's own namespace, or of a pod's. */
  public SocketHooks.Factory namespace(boolean host) {
    long cookie = host ? SockAddr.HOST_NETNS_COOKIE : netnsCookies.incrementAndGet();
    return sockets -> new NamespaceHooks(this, tracer, new SockAddr(cookie, sockets::isBound));
  }

  long newCookie() {
    return cookies.incrementAndGet();
  }

  /**
   * Attaches these programs, and nothing else: calls that run see the old ones or the new ones.
   *
   * @param maps that {@code sock_ops} puts sockets into
   */
  public void attach(List<LoadedSocketProgram> programs, SocketMaps maps) {
    connect = null;
    getpeername = null;
    postBind = null;
    sendmsg = null;
    recvmsg = null;
    established = null;
    message = null;
    List<LoadedSocketProgram> all = new ArrayList<>();
    for (LoadedSocketProgram program : programs) {
      all.add(program);
      switch (program.section().program()) {
        case SocketProgram.OnCall(var run) -> attach(program, new OnCall(program, run));
        case SocketProgram.OnEstablished(var run) ->
            established = new OnEstablished(program, run, maps);
        case SocketProgram.OnMessage(var run) -> message = new OnMessage(program, run);
      }
    }
    attached = List.copyOf(all);
  }

  private void attach(LoadedSocketProgram loaded, OnCall call) {
    switch (loaded.section().attachType()) {
      case CONNECT4 -> connect = call;
      case GETPEERNAME4 -> getpeername = call;
      case POST_BIND4 -> postBind = call;
      case SENDMSG4 -> sendmsg = call;
      case RECVMSG4 -> recvmsg = call;
      case SOCK_OPS, SK_MSG_VERDICT ->
          throw new IllegalArgumentException(
              loaded.section().name() + " looks at connections, not at socket calls");
    }
  }

  /** What is attached, in the order of attaching; any thread. */
  public List<LoadedSocketProgram> attached() {
    return attached;
  }
}
