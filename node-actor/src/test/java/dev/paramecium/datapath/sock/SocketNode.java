package dev.paramecium.datapath.sock;

import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.lib.ConntrackTimeouts;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.map.SocketMaps;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * A node's maps and the programs on its sockets, for tests of the shape call, maps, check.
 *
 * <pre>
 *   node 192.168.1.12, pods 10.42.1.80 and 10.42.1.81 here, 10.42.0.51 elsewhere, node 192.168.1.13
 * </pre>
 */
public final class SocketNode {

  public static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.12");
  public static final Ipv4Address OTHER_NODE = Ipv4Address.parse("192.168.1.13");
  public static final Ipv4Address A = Ipv4Address.parse("10.42.1.80");
  public static final Ipv4Address B = Ipv4Address.parse("10.42.1.81");
  public static final Ipv4Address ELSEWHERE = Ipv4Address.parse("10.42.0.51");
  public static final int A_IDENTITY = 27021;
  public static final int B_IDENTITY = 30010;

  /** Seconds since boot. */
  public int seconds = 1000;

  public final AtomicInteger ids = new AtomicInteger(1);
  public final CiliumMaps maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);
  public final SocketMaps sockets = new SocketMaps(ids::getAndIncrement);
  public final Cgroup cgroup;
  public final PacketTrace trace;
  private final ProgramContext context;

  public SocketNode() {
    Clock clock =
        new Clock() {
          @Override
          public long nanos() {
            return seconds * 1_000_000_000L;
          }

          @Override
          public long epochMs() {
            return seconds * 1000L;
          }
        };
    trace = new PacketTrace("node-1", clock);
    cgroup = new Cgroup(trace);
    context =
        new ProgramContext(
            new NodeConfig(
                NODE.value(),
                Ipv4Address.parse("10.42.1.247").value(),
                0xffffff00,
                NodeConfig.DEFAULT_LOOPBACK_IP,
                5,
                3,
                4,
                1,
                1,
                1,
                3333,
                6,
                NodeConfig.DEFAULT_TUNNEL_PORT,
                0,
                false,
                ConntrackTimeouts.DEFAULT,
                null),
            maps,
            clock,
            RandomSource.seeded(7),
            TraceRecorder.NONE);
    known("0.0.0.0/0", 2);
    known(NODE + "/32", 1);
    known(OTHER_NODE + "/32", 6);
    known(A + "/32", A_IDENTITY);
    known(B + "/32", B_IDENTITY);
    known(ELSEWHERE + "/32", 15773);
    local(A, 1180);
    local(B, 1181);
    maps.lxc().map().update(new EndpointKey(NODE).encode(), EndpointInfo.HOST.encode());
  }

  /** Attaches bpf_sock.o. */
  public SocketNode with(SocketLbConfig config) {
    attach(BpfSock.compile(context, sockets, config).sections());
    return this;
  }

  /** Attaches bpf_sockops.o and bpf_redir.o. */
  public SocketNode withSockops() {
    attach(List.of(BpfSockops.compile(context, sockets), BpfRedir.compile(context, sockets)));
    return this;
  }

  private void attach(List<SocketSection> sections) {
    List<LoadedSocketProgram> loaded = new ArrayList<>(cgroup.attached());
    for (SocketSection section : sections) {
      loaded.add(
          new LoadedSocketProgram(
              ids.getAndIncrement(), section, 1, 0, List.of(), new LongAdder()));
    }
    cgroup.attach(loaded, sockets);
  }

  /** The hooks of a namespace in which nothing is bound. */
  public SocketHooks namespace(boolean host) {
    return cgroup.namespace(host).of((_, _, _) -> false);
  }

  /** An endpoint of this node. */
  public void local(Ipv4Address pod, int id) {
    MacAddress mac = new MacAddress(id);
    maps.lxc()
        .map()
        .update(new EndpointKey(pod).encode(), new EndpointInfo(id, id, 0, mac, mac).encode());
  }

  public void known(String prefix, int identity) {
    maps.ipcache()
        .map()
        .update(
            new IpcacheKey(Ipv4Prefix.parse(prefix)).encode(),
            new RemoteEndpointInfo(identity, new Ipv4Address(0)).encode());
  }

  /** A frontend whose backends have ids from 1 on. */
  public void service(SocketAddress frontend, int flags, SocketAddress... backends) {
    service(frontend, 0, flags, 0, backends);
  }

  public void service(
      SocketAddress frontend,
      int affinitySeconds,
      int flags,
      int flags2,
      SocketAddress... backends) {
    Lb4Key key = new Lb4Key(frontend.address(), frontend.port());
    int revNat = frontend.port();
    put(key, new Lb4Service(affinitySeconds, backends.length, revNat, flags, flags2));
    for (int i = 0; i < backends.length; i++) {
      int id = i + 1;
      put(key.withBackendSlot(i + 1), new Lb4Service(id, 0, revNat, flags, flags2));
      maps.services()
          .backends()
          .update(
              Lb4Backend.encodeKey(id),
              new Lb4Backend(backends[i].address(), backends[i].port(), 0, Lb4Backend.ACTIVE)
                  .encode());
      maps.services().affinityMatch().update(new LbAffinityMatch(id, revNat).encode(), new byte[1]);
    }
  }

  private void put(Lb4Key key, Lb4Service value) {
    maps.services().services().update(key.encode(), value.encode());
  }

  /** Gives an address a policy map with what {@code entry} says of TCP to one port of one peer. */
  public void egress(Ipv4Address endpoint, int identity, int port, PolicyEntry entry) {
    PolicyMap policy = sockets.endpointPolicies().find(new EndpointKey(endpoint));
    if (policy == null) {
      policy = PolicyMap.create(ids.getAndIncrement(), 1180);
      sockets.endpointPolicies().put(new EndpointKey(endpoint), policy);
    }
    int protocol = port == 0 ? 0 : 6;
    policy.map().update(new PolicyKey(identity, port, protocol, true).encode(), entry.encode());
  }

  public long counted(int reason, int direction) {
    byte[] value = maps.metrics().map().lookup(new MetricsKey(reason, direction).encode());
    return value == null ? 0 : MetricsValue.decode(value).count();
  }

  public static SocketAddress at(Ipv4Address address, int port) {
    return new SocketAddress(address, port);
  }

  public static SocketAddress at(String address, int port) {
    return new SocketAddress(Ipv4Address.parse(address), port);
  }
}
