package dev.paramecium.datapath;

import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.Lb4SourceRangeKey;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.datapath.TwinNode.Change;
import dev.paramecium.datapath.TwinNode.Outcome;
import dev.paramecium.datapath.TwinNode.Packet;
import dev.paramecium.datapath.TwinNode.Step;
import dev.paramecium.lib.ConntrackTimeouts;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.Fib;
import dev.paramecium.lib.Masquerade;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.NodePortConfig;
import dev.paramecium.packet.Checksum;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A node's configuration, its maps and the packets that it sees, all by chance, and few enough of
 * each kind that they meet.
 *
 * <pre>
 *   curl 10.42.1.80, client 10.42.1.81        pods here
 *   10.42.0.51, 10.42.0.52                    pods on node 192.168.1.13, known to ipcache and only to the tunnel map
 *   10.96.0.10 … 13:80, 192.168.1.12:30080 …  services
 *   198.51.100.7, 203.0.113.9                 world, a CIDR identity
 * </pre>
 */
final class RandomStory {

  static final int NATIVE_IFINDEX = 9;
  private static final int VXLAN_IFINDEX = 5;
  private static final int NET_IFINDEX = 3;
  private static final int CILIUM_HOST_IFINDEX = 4;
  private static final int HOST_ENDPOINT = 3333;
  private static final long NATIVE_MAC = 0x0211_0000_0009L;

  private static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.12");
  private static final Ipv4Address OTHER_NODE = Ipv4Address.parse("192.168.1.13");
  private static final Ipv4Address ROUTER = Ipv4Address.parse("10.42.1.247");
  private static final Ipv4Address CURL = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address CLIENT = Ipv4Address.parse("10.42.1.81");
  private static final Ipv4Address REMOTE = Ipv4Address.parse("10.42.0.51");
  private static final Ipv4Address REMOTE_UNTOLD = Ipv4Address.parse("10.42.0.52");
  private static final Ipv4Address REMOTE_ROUTER = Ipv4Address.parse("10.42.0.9");
  private static final Ipv4Address WORLD = Ipv4Address.parse("198.51.100.7");
  private static final Ipv4Address NEAR_WORLD = Ipv4Address.parse("198.51.100.8");
  private static final Ipv4Address CIDR = Ipv4Address.parse("203.0.113.9");
  private static final Ipv4Address LOOPBACK = new Ipv4Address(NodeConfig.DEFAULT_LOOPBACK_IP);
  private static final Ipv4Address[] VIPS = {
    Ipv4Address.parse("10.96.0.10"),
    Ipv4Address.parse("10.96.0.11"),
    Ipv4Address.parse("10.96.0.12"),
    Ipv4Address.parse("10.96.0.13")
  };
  private static final Ipv4Address[] OUTSIDE = {
    REMOTE, REMOTE, REMOTE_UNTOLD, WORLD, WORLD, NEAR_WORLD, CIDR, OTHER_NODE, REMOTE_ROUTER
  };
  private static final Ipv4Address[] BACKENDS = {
    CURL, CLIENT, REMOTE, REMOTE, REMOTE_UNTOLD, WORLD
  };

  private static final int CURL_ID = 1180;
  private static final int CLIENT_ID = 1181;
  private static final int CURL_IDENTITY = 27021;
  private static final int CLIENT_IDENTITY = 30010;
  private static final int REMOTE_IDENTITY = 15773;
  private static final int CIDR_IDENTITY = 16777217;
  private static final int[] IDENTITIES = {
    0, 1, 2, 6, CURL_IDENTITY, CLIENT_IDENTITY, REMOTE_IDENTITY, REMOTE_IDENTITY, CIDR_IDENTITY
  };
  private static final List<EndpointProgramConfig> ENDPOINTS =
      List.of(
          new EndpointProgramConfig(CURL_ID, CURL_IDENTITY, CURL.value(), 0x0e00_0000_1180L),
          new EndpointProgramConfig(CLIENT_ID, CLIENT_IDENTITY, CLIENT.value(), 0x0e00_0000_1181L));

  private static final int[] PORTS = {80, 8080, 53, 30080, 30081, 40000, 40001, 999};
  private static final int[] PROTOCOLS = {
    IpProtocol.TCP, IpProtocol.TCP, IpProtocol.TCP, IpProtocol.UDP, IpProtocol.UDP, IpProtocol.ICMP
  };
  private static final int[] TCP_FLAGS = {
    2, 2, 2, 0x12, 0x10, 0x10, 0x18, 0x11, 1, 4, 0x14, 6, 3, 0
  };
  private static final int[] ICMP_TYPES = {8, 8, 8, 0, 0, 3, 3, 11, 12, 13, 5};
  private static final int[] PAUSES = {0, 0, 0, 0, 0, 0, 1, 5, 6, 11, 59, 60, 100, 30000};
  private static final int[] TTLS = {64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 2, 1, 0};
  private static final int[] VNIS = {
    REMOTE_IDENTITY,
    REMOTE_IDENTITY,
    REMOTE_IDENTITY,
    REMOTE_IDENTITY,
    REMOTE_IDENTITY,
    REMOTE_IDENTITY,
    REMOTE_IDENTITY,
    REMOTE_IDENTITY,
    2,
    2,
    6,
    6,
    7,
    8,
    1,
    -1
  };
  private static final int[] MARKS = {
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0x0c00,
    0x0f00 | REMOTE_IDENTITY << 16,
    0x0a00 | CURL_IDENTITY << 16,
    0x0b00 | 2 << 16,
    0x0d00 | REMOTE_IDENTITY << 16,
    0x1500,
    0x0200
  };
  private static final int HISTORY = 8;

  private final Random random;
  private final List<byte[]> history = new ArrayList<>();
  final NodeConfig config;
  final long seed;

  RandomStory(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
    this.config = config();
  }

  private int pick(int... choices) {
    return choices[random.nextInt(choices.length)];
  }

  private Ipv4Address pick(Ipv4Address... choices) {
    return choices[random.nextInt(choices.length)];
  }

  private boolean oneIn(int count) {
    return random.nextInt(count) == 0;
  }

  // ---- configuration

  private NodeConfig config() {
    return new NodeConfig(
        NODE.value(),
        ROUTER.value(),
        0xffff_ff00,
        LOOPBACK.value(),
        VXLAN_IFINDEX,
        NET_IFINDEX,
        CILIUM_HOST_IFINDEX,
        0x0211_0000_0003L,
        0x0211_0000_0004L,
        0x0211_0000_0005L,
        HOST_ENDPOINT,
        pick(6, 7),
        NodeConfig.DEFAULT_TUNNEL_PORT,
        pick(0, 1, 2, 3, 3, 4),
        oneIn(8),
        ConntrackTimeouts.DEFAULT,
        oneIn(3) ? null : nodePort(),
        !oneIn(3),
        !oneIn(4),
        !oneIn(8));
  }

  private NodePortConfig nodePort() {
    boolean crowded = oneIn(4);
    return new NodePortConfig(
        NATIVE_IFINDEX,
        NATIVE_MAC,
        NODE.value(),
        crowded ? 40000 : NodePortConfig.DEFAULT_MIN_NAT_PORT,
        crowded ? 40001 : NodePortConfig.DEFAULT_MAX_NAT_PORT,
        RandomStory::route,
        switch (random.nextInt(4)) {
          case 0 -> NodePortConfig.Mode.DSR;
          case 1 -> NodePortConfig.Mode.HYBRID;
          default -> NodePortConfig.Mode.SNAT;
        },
        oneIn(3),
        NodePortConfig.DEFAULT_CONNECTION_SEED,
        oneIn(2) ? null : new Masquerade.Config(NODE.value(), 0x0a2a_0000, 0xffff_0000, false),
        oneIn(2),
        pick(60, 1500));
  }

  private static int route(
      Object packet, int ifindex, int source, int destination, Fib.Answer answer) {
    if (destination == NEAR_WORLD.value()) {
      return Fib.NO_NEIGHBOR;
    }
    if (destination == CIDR.value()) {
      return Fib.BLACKHOLE;
    }
    answer.ifindex = destination == WORLD.value() ? NATIVE_IFINDEX : NATIVE_IFINDEX + 1;
    answer.sourceMac = NATIVE_MAC;
    answer.destinationMac = 0x02aa_0000_0000L | destination & 0xffff;
    return Fib.SUCCESS;
  }

  // ---- maps

  /** A node with the story's configuration and maps. */
  TwinNode node() {
    TwinNode node = new TwinNode(config, ENDPOINTS, seed);
    Random maps = new Random(~seed);
    identities(node);
    policies(node, maps);
    services(node, maps);
    return node;
  }

  private static void put(BpfMap map, byte[] key, byte[] value) {
    if (map.update(key, value) != null) {
      throw new IllegalStateException(map.name() + " refuses an entry");
    }
  }

  private static void identities(TwinNode node) {
    known(node, "0.0.0.0/0", 2, null);
    known(node, CURL + "/32", CURL_IDENTITY, null);
    known(node, CLIENT + "/32", CLIENT_IDENTITY, null);
    known(node, REMOTE + "/32", REMOTE_IDENTITY, OTHER_NODE);
    known(node, REMOTE_ROUTER + "/32", 6, OTHER_NODE);
    known(node, OTHER_NODE + "/32", 6, null);
    known(node, NODE + "/32", 1, null);
    known(node, ROUTER + "/32", 1, null);
    known(node, "203.0.113.0/24", CIDR_IDENTITY, null);
    put(
        node.maps.tunnel().map(),
        new EndpointKey(Ipv4Address.parse("10.42.0.0")).encode(),
        new EndpointKey(OTHER_NODE).encode());
    endpoint(node, NODE, EndpointInfo.HOST);
    endpoint(node, ROUTER, EndpointInfo.HOST);
    endpoint(node, CURL, pod(12, CURL_ID));
    endpoint(node, CLIENT, pod(14, CLIENT_ID));
  }

  private static EndpointInfo pod(int ifindex, int id) {
    return new EndpointInfo(
        ifindex,
        id,
        0,
        new MacAddress(0x0a00_0000_0000L | id),
        new MacAddress(0x0e00_0000_0000L | id));
  }

  private static void endpoint(TwinNode node, Ipv4Address address, EndpointInfo info) {
    put(node.maps.lxc().map(), new EndpointKey(address).encode(), info.encode());
  }

  private static void known(
      TwinNode node, String prefix, int identity, @Nullable Ipv4Address tunnelEndpoint) {
    put(
        node.maps.ipcache().map(),
        new IpcacheKey(Ipv4Prefix.parse(prefix)).encode(),
        new RemoteEndpointInfo(identity, tunnelEndpoint == null ? Ipv4Address.ANY : tunnelEndpoint)
            .encode());
  }

  private static void policies(TwinNode node, Random random) {
    node.policies.forEach(
        (_, policy) -> {
          for (boolean egress : new boolean[] {true, false}) {
            if (random.nextInt(3) != 0) {
              put(
                  policy.map(),
                  new PolicyKey(0, 0, 0, egress).encode(),
                  PolicyEntry.ALLOW.encode());
            }
          }
          if (random.nextInt(3) == 0) {
            int port = random.nextBoolean() ? 80 : 8080;
            put(
                policy.map(),
                new PolicyKey(0, port, IpProtocol.TCP, random.nextBoolean()).encode(),
                new PolicyEntry(10003, false, 0, 0).encode());
          }
          for (int i = random.nextInt(10); i > 0; i--) {
            put(policy.map(), rule(random).encode(), action(random).encode());
          }
        });
  }

  private static PolicyKey rule(Random random) {
    int identity = IDENTITIES[random.nextInt(IDENTITIES.length)];
    boolean egress = random.nextBoolean();
    return switch (random.nextInt(4)) {
      case 0 -> new PolicyKey(identity, 0, 0, egress);
      // The type stands where ports do.
      case 1 ->
          new PolicyKey(
              identity, ICMP_TYPES[random.nextInt(ICMP_TYPES.length)], IpProtocol.ICMP, egress);
      default ->
          new PolicyKey(
              identity,
              PORTS[random.nextInt(PORTS.length)],
              random.nextBoolean() ? IpProtocol.TCP : IpProtocol.UDP,
              egress);
    };
  }

  private static PolicyEntry action(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> PolicyEntry.DENY;
      case 1 -> new PolicyEntry(10000 + random.nextInt(3), false, 0, 0);
      default -> PolicyEntry.ALLOW;
    };
  }

  private static void services(TwinNode node, Random random) {
    for (int id = 1; id <= 6; id++) {
      backend(node, random, id);
    }
    for (Ipv4Address vip : VIPS) {
      service(node, random, new Lb4Key(vip, 80), 7 + (vip.value() & 0xff));
    }
    service(node, random, new Lb4Key(NODE, 30080), 300);
    service(node, random, new Lb4Key(NODE, 30081), 301);
    service(node, random, new Lb4Key(OTHER_NODE, 30080), 302);
  }

  private static void backend(TwinNode node, Random random, int id) {
    int state = random.nextInt(4) == 0 ? 1 + random.nextInt(3) : Lb4Backend.ACTIVE;
    int port = random.nextInt(6) == 0 ? 80 : 8080;
    Ipv4Address address = BACKENDS[random.nextInt(BACKENDS.length)];
    put(
        node.maps.services().backends(),
        Lb4Backend.encodeKey(id),
        new Lb4Backend(address, port, 0, state).encode());
  }

  private static void service(TwinNode node, Random random, Lb4Key key, int revNatIndex) {
    int flags =
        (random.nextInt(3) == 0 ? Lb4Service.FLAG_AFFINITY : 0)
            | (random.nextInt(8) == 0 ? 0 : Lb4Service.FLAG_ROUTABLE)
            | (random.nextInt(16) == 0 ? Lb4Service.FLAG_HOST_PORT : 0)
            | (random.nextInt(6) == 0 ? Lb4Service.FLAG_SOURCE_RANGE : 0)
            | (random.nextInt(5) == 0 ? Lb4Service.FLAG_LOCAL_SCOPE : 0);
    scope(node, random, key, revNatIndex, flags);
    if ((flags & Lb4Service.FLAG_LOCAL_SCOPE) != 0) {
      Lb4Key inside = new Lb4Key(key.address(), key.dport(), 0, Lb4Key.SCOPE_INTERNAL);
      scope(node, random, inside, revNatIndex, flags);
    }
    if ((flags & Lb4Service.FLAG_SOURCE_RANGE) != 0) {
      put(
          node.maps.services().sourceRange(),
          new Lb4SourceRangeKey(revNatIndex, Ipv4Prefix.parse("198.51.100.0/29")).encode(),
          new byte[1]);
    }
    if (random.nextInt(12) != 0) {
      put(
          node.maps.services().reverseNat(),
          Lb4ReverseNat.encodeKey(revNatIndex),
          new Lb4ReverseNat(key.address(), key.dport()).encode());
    }
    if (random.nextInt(8) != 0) {
      ByteBuffer table = ByteBuffer.allocate(7 * Integer.BYTES);
      table.order(java.nio.ByteOrder.LITTLE_ENDIAN);
      while (table.hasRemaining()) {
        table.putInt(random.nextInt(8));
      }
      put(node.maps.services().maglev(), Lb4ReverseNat.encodeKey(revNatIndex), table.array());
    }
  }

  private static void scope(TwinNode node, Random random, Lb4Key key, int revNatIndex, int flags) {
    int count = random.nextInt(6) == 0 ? 0 : 1 + random.nextInt(3);
    int timeout = random.nextInt(2) == 0 ? 10 : 100;
    put(
        node.maps.services().services(),
        key.encode(),
        new Lb4Service(timeout, count, revNatIndex, flags, 0).encode());
    for (int slot = 1; slot <= count; slot++) {
      if (random.nextInt(10) == 0) {
        continue;
      }
      int id = 1 + random.nextInt(7);
      put(
          node.maps.services().services(),
          key.withBackendSlot(slot).encode(),
          new Lb4Service(id, 0, revNatIndex, 0, 0).encode());
      if (random.nextInt(4) != 0) {
        put(
            node.maps.services().affinityMatch(),
            new LbAffinityMatch(id, revNatIndex).encode(),
            new byte[1]);
      }
    }
  }

  // ---- what happens

  /** The next step, which may follow from what became of those before. */
  Step next() {
    int pause = pick(PAUSES);
    if (oneIn(25)) {
      return change(pause);
    }
    byte[] frame = history.isEmpty() || oneIn(3) ? fresh() : related();
    return at(pause, frame);
  }

  /** Tells what became of a packet. */
  void saw(Packet packet, Outcome outcome) {
    if (outcome.verdict() != Verdict.SHOT) {
      history.add(outcome.frame());
    }
    // A client or server may also repeat itself.
    history.add(HexFormat.of().parseHex(packet.frame()));
    while (history.size() > HISTORY) {
      history.removeFirst();
    }
  }

  private Change change(int pause) {
    long change = random.nextLong();
    return switch (random.nextInt(4)) {
      case 0 ->
          new Change(
              pause,
              "a service",
              node -> {
                Random by = new Random(change);
                Ipv4Address vip = VIPS[by.nextInt(VIPS.length)];
                service(node, by, new Lb4Key(vip, 80), 7 + (vip.value() & 0xff));
              });
      case 1 ->
          new Change(
              pause,
              "a backend goes",
              node ->
                  node.maps
                      .services()
                      .backends()
                      .delete(Lb4Backend.encodeKey(1 + new Random(change).nextInt(6))));
      case 2 ->
          new Change(
              pause,
              "a service's number",
              node -> {
                Random by = new Random(change);
                service(
                    node, by, new Lb4Key(VIPS[by.nextInt(VIPS.length)], 80), 900 + by.nextInt(3));
              });
      default ->
          new Change(
              pause,
              "a backend",
              node -> {
                Random by = new Random(change);
                backend(node, by, 1 + by.nextInt(6));
              });
    };
  }

  private Packet at(int pause, byte[] frame) {
    Ipv4Address source = new Ipv4Address(i32(frame, 26));
    Ipv4Address destination = new Ipv4Address(i32(frame, 30));
    String hook = hook(source, destination);
    int endpoint =
        (oneIn(30) ? CLIENT : pod(source, destination, hook)).equals(CURL) ? CURL_ID : CLIENT_ID;
    boolean marked =
        switch (hook) {
          case "from-container", "xdp", "from-netdev", "policy" -> false;
          default -> true;
        };
    boolean policy = hook.equals("policy");
    return new Packet(
        pause,
        hook,
        endpoint,
        HexFormat.of().formatHex(frame),
        marked ? pick(MARKS) : 0,
        policy ? pick(IDENTITIES) : 0,
        policy ? pick(0, 12) : 0,
        hook.equals("from-overlay") ? pick(VNIS) : -1,
        hook.endsWith("netdev") && oneIn(30) ? pick(0, 7, TwinNode.ALLOWED_VLAN) : -1);
  }

  private static Ipv4Address pod(Ipv4Address source, Ipv4Address destination, String hook) {
    return hook.equals("from-container") ? source : destination;
  }

  private String hook(Ipv4Address source, Ipv4Address destination) {
    boolean fromPod = source.equals(CURL) || source.equals(CLIENT);
    boolean toPod = destination.equals(CURL) || destination.equals(CLIENT);
    boolean fromNode = source.equals(NODE) || source.equals(ROUTER);
    List<String> choices = new ArrayList<>();
    if (fromPod) {
      choices.addAll(
          List.of("from-container", "from-container", "from-container", "to-netdev", "to-overlay"));
    }
    if (fromNode) {
      choices.addAll(List.of("from-host", "to-netdev", "to-overlay"));
    }
    if (toPod) {
      choices.addAll(
          List.of("from-overlay", "from-overlay", "policy", "from-host", "to-container"));
    }
    if (!fromPod && !fromNode) {
      choices.addAll(List.of("from-netdev", "from-netdev", "xdp"));
      if (!toPod) {
        choices.addAll(List.of("from-overlay", "to-host", "to-netdev"));
      }
    }
    return choices.get(random.nextInt(choices.size()));
  }

  // ---- frames

  private byte[] fresh() {
    Ipv4Address source;
    Ipv4Address destination;
    switch (random.nextInt(9)) {
      case 0, 1 -> {
        source = pick(CURL, CURL, CLIENT);
        destination = oneIn(2) ? pick(VIPS) : pick(BACKENDS);
      }
      case 2 -> {
        source = pick(CURL, CLIENT);
        destination = oneIn(3) ? pick(NODE, ROUTER) : pick(OUTSIDE);
      }
      case 3, 4, 5 -> {
        source = pick(OUTSIDE);
        destination = pick(NODE, NODE, NODE, OTHER_NODE, VIPS[0], VIPS[1]);
      }
      case 6 -> {
        source = pick(NODE, ROUTER);
        destination = oneIn(2) ? pick(CURL, CLIENT) : pick(OUTSIDE);
      }
      default -> {
        source = pick(OUTSIDE);
        destination = pick(CURL, CURL, CLIENT);
      }
    }
    int protocol = oneIn(25) ? pick(47, 132, IpProtocol.ICMPV6) : pick(PROTOCOLS);
    boolean toService = (destination.value() & 0xffff_0000) == 0x0a60_0000 && !oneIn(8);
    boolean toNodePort = destination.equals(NODE) || destination.equals(OTHER_NODE);
    int port = toService ? 80 : toNodePort && !oneIn(4) ? pick(30080, 30081) : pick(PORTS);
    int sourcePort = oneIn(30) ? 8472 : pick(PORTS);
    return frame(source, destination, protocol, sourcePort, oneIn(40) ? 8472 : port);
  }

  /** An answer to, or an error about, or more of what was seen before. */
  private byte[] related() {
    byte[] seen = history.get(random.nextInt(history.size()));
    if (seen.length < 42 || u16(seen, 12) != 0x800) {
      return fresh();
    }
    Ipv4Address source = new Ipv4Address(i32(seen, 26));
    Ipv4Address destination = new Ipv4Address(i32(seen, 30));
    int protocol = seen[23] & 0xff;
    int l4 = 14 + 4 * (seen[14] & 15);
    if (seen.length < l4 + 8) {
      return fresh();
    }
    int sourcePort = u16(seen, l4);
    int port = u16(seen, l4 + 2);
    if (protocol == IpProtocol.ICMP) {
      sourcePort = u16(seen, l4 + 4);
      port = sourcePort;
    }
    return switch (random.nextInt(8)) {
      // On its way.
      case 0, 1 -> seen;
      case 2 -> frame(source, destination, protocol, sourcePort, port);
      case 3 -> frame(destination, source, IpProtocol.ICMP, sourcePort, port);
      default -> frame(destination, source, protocol, port, sourcePort);
    };
  }

  private byte[] frame(
      Ipv4Address source, Ipv4Address destination, int protocol, int sourcePort, int port) {
    byte[] l4 =
        switch (protocol) {
          case IpProtocol.TCP -> tcp(sourcePort, port);
          case IpProtocol.UDP -> udp(sourcePort, port);
          case IpProtocol.ICMP -> icmp(port);
          default -> new byte[random.nextInt(20)];
        };
    byte[] options = options();
    int fragment = oneIn(10) ? pick(0x2000, 0x2003, 0x0003, 0x0001) : oneIn(3) ? 0x4000 : 0;
    ByteBuffer out = ByteBuffer.allocate(34 + options.length + l4.length);
    out.putShort((short) 0x0211).putInt(9);
    out.putShort((short) 0x02bb).putInt(random.nextInt(3));
    out.putShort((short) 0x800);
    out.put((byte) (0x45 + options.length / 4)).put((byte) pick(0, 0, 16));
    out.putShort((short) (20 + options.length + l4.length));
    out.putShort((short) random.nextInt(3)).putShort((short) fragment);
    out.put((byte) pick(TTLS)).put((byte) protocol).putShort((short) 0);
    out.putInt(source.value()).putInt(destination.value()).put(options).put(l4);
    byte[] frame = out.array();
    set16(frame, 24, Checksum.finish(Checksum.sum(frame, 14, 20 + options.length)));
    checksum(frame, protocol, 34 + options.length, l4.length);
    return oneIn(30)
        ? java.util.Arrays.copyOf(frame, 14 + random.nextInt(frame.length - 13))
        : frame;
  }

  /** None, some, or what DSR says. */
  private byte[] options() {
    if (!oneIn(12)) {
      return new byte[0];
    }
    if (oneIn(3)) {
      return new byte[4 * random.nextInt(1, 3)];
    }
    return ByteBuffer.allocate(8).putInt(0x9a08_8075).putInt(0x0c01_a8c0).array();
  }

  private byte[] tcp(int sourcePort, int port) {
    ByteBuffer out = ByteBuffer.allocate(20 + random.nextInt(3) * 7);
    out.putShort((short) sourcePort).putShort((short) port).putInt(1).putInt(1);
    return out.put((byte) 0x50).put((byte) pick(TCP_FLAGS)).putShort((short) 65535).array();
  }

  private byte[] udp(int sourcePort, int port) {
    int length = 8 + random.nextInt(3) * 9;
    ByteBuffer out = ByteBuffer.allocate(length);
    return out.putShort((short) sourcePort).putShort((short) port).putShort((short) length).array();
  }

  private byte[] icmp(int identifier) {
    int type = pick(ICMP_TYPES);
    int code = type == 3 ? pick(1, 3, 4) : 0;
    ByteBuffer out = ByteBuffer.allocate(8 + random.nextInt(2) * 28);
    return out.put((byte) type)
        .put((byte) code)
        .putShort((short) 0)
        .putShort((short) identifier)
        .array();
  }

  private void checksum(byte[] frame, int protocol, int at, int length) {
    long pseudo = Checksum.pseudoHeader(i32(frame, 26), i32(frame, 30), protocol, length);
    switch (protocol) {
      case IpProtocol.TCP ->
          set16(frame, at + 16, Checksum.finish(Checksum.sum(frame, at, length) + pseudo));
      case IpProtocol.UDP -> {
        if (!oneIn(4)) {
          set16(frame, at + 6, Checksum.finish(Checksum.sum(frame, at, length) + pseudo));
        }
      }
      case IpProtocol.ICMP ->
          set16(frame, at + 2, Checksum.finish(Checksum.sum(frame, at, length)));
      default -> {}
    }
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }

  /** 0 past the end. */
  private static int i32(byte[] bytes, int at) {
    return at + 4 > bytes.length ? 0 : u16(bytes, at) << 16 | u16(bytes, at + 2);
  }

  private static void set16(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 8);
    bytes[at + 1] = (byte) value;
  }
}
