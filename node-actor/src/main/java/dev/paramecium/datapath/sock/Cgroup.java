package dev.paramecium.datapath.sock;

import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.map.SocketMaps;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
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

  /** What is at each hook; null where nothing is. */
  record Hooks(
      @Nullable OnCall connect,
      @Nullable OnCall getpeername,
      @Nullable OnCall postBind,
      @Nullable OnCall sendmsg,
      @Nullable OnCall recvmsg,
      @Nullable OnEstablished established,
      @Nullable OnMessage message) {

    static final Hooks NONE = new Hooks(null, null, null, null, null, null, null);
  }

  private final AtomicLong cookies = new AtomicLong();
  private final AtomicLong netnsCookies = new AtomicLong(SockAddr.HOST_NETNS_COOKIE);
  private final SocketTracer tracer;

  private volatile List<LoadedSocketProgram> attached = List.of();
  private volatile Hooks hooks = Hooks.NONE;

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
    Map<AttachType, OnCall> calls = new EnumMap<>(AttachType.class);
    OnEstablished established = null;
    OnMessage message = null;
    for (LoadedSocketProgram program : programs) {
      switch (program.section().program()) {
        case SocketProgram.OnCall(var run) ->
            calls.put(program.section().attachType(), new OnCall(program, run));
        case SocketProgram.OnEstablished(var run) ->
            established = new OnEstablished(program, run, maps);
        case SocketProgram.OnMessage(var run) -> message = new OnMessage(program, run);
      }
    }
    hooks =
        new Hooks(
            calls.get(AttachType.CONNECT4),
            calls.get(AttachType.GETPEERNAME4),
            calls.get(AttachType.POST_BIND4),
            calls.get(AttachType.SENDMSG4),
            calls.get(AttachType.RECVMSG4),
            established,
            message);
    attached = List.copyOf(programs);
  }

  Hooks hooks() {
    return hooks;
  }

  /** What is attached, in the order of attaching; any thread. */
  public List<LoadedSocketProgram> attached() {
    return attached;
  }
}
