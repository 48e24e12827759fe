package dev.paramecium.datapath.sock;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.SockKey;
import dev.paramecium.bpf.Sock;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.map.SocketMaps;
import org.jspecify.annotations.Nullable;

/** Runs the cgroup's programs on the socket calls of one namespace, on its thread. */
final class NamespaceHooks implements SocketHooks {

  private final Cgroup cgroup;
  private final SocketTracer tracer;
  private final SockAddr call;

  NamespaceHooks(Cgroup cgroup, SocketTracer tracer, SockAddr call) {
    this.cgroup = cgroup;
    this.tracer = tracer;
    this.call = call;
  }

  @Override
  public long newCookie() {
    return cgroup.newCookie();
  }

  @Override
  public SocketAddress connect(
      int protocol, long cookie, SocketAddress local, SocketAddress remote) {
    return forward(cgroup.hooks().connect(), protocol, cookie, local, remote);
  }

  @Override
  public SocketAddress sendmsg(long cookie, SocketAddress local, SocketAddress remote) {
    return forward(cgroup.hooks().sendmsg(), IpProtocol.UDP, cookie, local, remote);
  }

  @Override
  public SocketAddress recvmsg(long cookie, SocketAddress local, SocketAddress from) {
    return reverse(cgroup.hooks().recvmsg(), IpProtocol.UDP, cookie, local, from);
  }

  @Override
  public SocketAddress getpeername(
      int protocol, long cookie, SocketAddress local, SocketAddress remote) {
    return reverse(cgroup.hooks().getpeername(), protocol, cookie, local, remote);
  }

  @Override
  public boolean mayBind(int protocol, long cookie, SocketAddress local) {
    Cgroup.OnCall hook = cgroup.hooks().postBind();
    if (hook == null) {
      return true;
    }
    call.set(protocol, cookie, local.address().value(), local.port());
    hook.loaded().runs().increment();
    return hook.program().run(call) == SockAddrProgram.PROCEED;
  }

  private SocketAddress forward(
      Cgroup.@Nullable OnCall hook,
      int protocol,
      long cookie,
      SocketAddress local,
      SocketAddress remote) {
    if (hook == null) {
      return remote;
    }
    SocketAddress answer = run(hook, protocol, cookie, local, remote);
    if (!answer.equals(remote)) {
      tracer.translated(protocol, local, remote, answer);
    }
    return answer;
  }

  private SocketAddress reverse(
      Cgroup.@Nullable OnCall hook,
      int protocol,
      long cookie,
      SocketAddress local,
      SocketAddress remote) {
    return hook == null ? remote : run(hook, protocol, cookie, local, remote);
  }

  private SocketAddress run(
      Cgroup.OnCall hook, int protocol, long cookie, SocketAddress local, SocketAddress remote) {
    int address = remote.address().value();
    call.set(protocol, cookie, address, remote.port());
    hook.loaded().runs().increment();
    SocketTrace trace = tracer.begin(protocol, local, remote);
    call.trace = trace;
    hook.program().run(call);
    call.trace = null;
    SocketAddress answer =
        call.address == address && call.port == remote.port()
            ? remote
            : new SocketAddress(new Ipv4Address(call.address), call.port);
    if (trace != null) {
      boolean same = answer.equals(remote);
      String verdict = same ? "SYS_PROCEED" : "SYS_PROCEED, " + remote + " is " + answer;
      tracer.observe(hook.loaded(), protocol, local, remote, 0, trace, verdict);
    }
    return answer;
  }

  @Override
  public boolean wantsEstablished() {
    return cgroup.hooks().established() != null;
  }

  @Override
  public @Nullable MappedSocket established(
      SocketAddress local, SocketAddress remote, Sock socket) {
    Cgroup.OnEstablished hook = cgroup.hooks().established();
    if (hook == null) {
      return null;
    }
    SockKey key = new SockKey(local.address(), local.port(), remote.address(), remote.port());
    SockOps ops = new SockOps(key, socket);
    hook.loaded().runs().increment();
    SocketTrace trace = tracer.begin(IpProtocol.TCP, local, remote);
    ops.trace = trace;
    hook.program().run(ops);
    ops.trace = null;
    SockKey entry = ops.entry;
    if (trace != null) {
      String verdict = entry == null ? "not in the sock map" : "in the sock map";
      tracer.observe(hook.loaded(), IpProtocol.TCP, local, remote, 0, trace, verdict);
    }
    return entry == null ? null : new InMap(ops, entry, hook.maps(), local, remote);
  }

  /** A socket of {@code cilium_sock_ops}. */
  private final class InMap implements MappedSocket {

    private final SockOps ops;
    private final SockKey entry;
    private final SocketMaps maps;
    private final SocketAddress local;
    private final SocketAddress remote;

    InMap(SockOps ops, SockKey entry, SocketMaps maps, SocketAddress local, SocketAddress remote) {
      this.ops = ops;
      this.entry = entry;
      this.maps = maps;
      this.local = local;
      this.remote = remote;
    }

    @Override
    public @Nullable Sock redirect(int length) {
      Cgroup.OnMessage hook = cgroup.hooks().message();
      if (hook == null) {
        return null;
      }
      hook.loaded().runs().increment();
      SocketTrace trace = tracer.begin(IpProtocol.TCP, local, remote);
      ops.trace = trace;
      Sock peer = hook.program().run(ops);
      ops.trace = null;
      if (trace != null) {
        String verdict =
            peer == null ? "SK_PASS" : "SK_PASS, redirected to the receive queue of " + remote;
        tracer.observe(hook.loaded(), IpProtocol.TCP, local, remote, length, trace, verdict);
      }
      return peer;
    }

    @Override
    public void closed() {
      maps.sockOps().remove(entry, ops.socket);
    }
  }
}
