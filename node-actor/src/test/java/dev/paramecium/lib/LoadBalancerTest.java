package dev.paramecium.lib;

import static dev.paramecium.benchmark.ReferenceNode.CURL;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN;
import static dev.paramecium.benchmark.ReferenceNode.VIP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.benchmark.ReferenceNode;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Tcp;
import org.junit.jupiter.api.Test;

/** Translation of services, called as the programs call it ({@code bpf/lib/lb.h}). */
class LoadBalancerTest {

  private static final int SERVICE = 7;
  private static final Ipv4Address LOCAL_BACKEND = Ipv4Address.parse("10.42.1.90");

  private static final Clock CLOCK =
      new Clock() {
        @Override
        public long nanos() {
          return 1_000_000_000_000L;
        }

        @Override
        public long epochMs() {
          return 0;
        }
      };

  private final ReferenceNode node = new ReferenceNode(0, TraceRecorder.NONE, CLOCK);
  private final LoadBalancer balancer;
  private final PerCpu cpu = PerCpu.current();
  private final Ipv4CtTuple tuple = new Ipv4CtTuple();
  private final CtState state = new CtState();

  LoadBalancerTest() {
    NodeConfig config =
        new NodeConfig(
            1,
            2,
            -256,
            NodeConfig.DEFAULT_LOOPBACK_IP,
            5,
            3,
            4,
            0,
            0,
            0,
            1,
            6,
            NodeConfig.DEFAULT_TUNNEL_PORT,
            0,
            false,
            ConntrackTimeouts.DEFAULT,
            null);
    ProgramContext context =
        new ProgramContext(config, node.maps, CLOCK, RandomSource.seeded(1), TraceRecorder.NONE);
    Fragments fragments = new Fragments(node.maps.fragments(), new Metrics(node.maps.metrics()));
    Conntrack conntrack = new Conntrack(context, fragments);
    balancer = new LoadBalancer(context, conntrack, fragments, false);
  }

  private void service(int scope, int slot, int backendId, int count) {
    BpfHashMap services = node.maps.services().services();
    byte[] key = new Lb4Key(VIP, 80).withBackendSlot(slot).encode();
    key[9] = (byte) scope;
    services.update(
        key, new Lb4Service(backendId, count, SERVICE, Lb4Service.FLAG_LOCAL_SCOPE, 0).encode());
  }

  private void backend(int id, Ipv4Address address, int state) {
    node.maps
        .services()
        .backends()
        .update(Lb4Backend.encodeKey(id), new Lb4Backend(address, 8080, 0, state).encode());
  }

  private int translate(SkBuff packet, boolean switchScope) {
    state.clear();
    int l4Offset = Ipv4Header.l4Offset(packet);
    assertThat(balancer.extractKey(packet, tuple, l4Offset, cpu)).isZero();
    int found = balancer.lookup(packet, tuple, switchScope, cpu);
    assertThat(found).isNotNegative();
    return balancer.local(packet, found, tuple, l4Offset, state, cpu);
  }

  private void twoScopes() {
    service(Lb4Key.SCOPE_EXTERNAL, 0, 0, 1);
    service(Lb4Key.SCOPE_EXTERNAL, 1, 1, 0);
    service(Lb4Key.SCOPE_INTERNAL, 0, 0, 1);
    service(Lb4Key.SCOPE_INTERNAL, 1, 2, 0);
    backend(1, LOCAL_BACKEND, Lb4Backend.ACTIVE);
    backend(2, HTTPBIN, Lb4Backend.ACTIVE);
  }

  @Test
  void findsTheBackendsOfTheInternalScopeUnderItsOwnKeys() {
    twoScopes();
    SkBuff inside = node.tcp(CURL, 40000, VIP, 80, Tcp.SYN);
    assertThat(translate(inside, true)).isZero();
    assertThat(Ipv4Header.daddr(inside)).isEqualTo(HTTPBIN.value());
    SkBuff outside = node.tcp(CURL, 40001, VIP, 80, Tcp.SYN);
    assertThat(translate(outside, false)).isZero();
    assertThat(Ipv4Header.daddr(outside)).isEqualTo(LOCAL_BACKEND.value());
  }

  @Test
  void choosesAgainFromTheExternalScopeWhenTheInternalBackendIsGone() {
    twoScopes();
    translate(node.tcp(CURL, 40000, VIP, 80, Tcp.SYN), true);
    node.maps.services().backends().delete(Lb4Backend.encodeKey(2));
    SkBuff next = node.tcp(CURL, 40000, VIP, 80, Tcp.ACK);
    assertThat(translate(next, true)).isZero();
    assertThat(Ipv4Header.daddr(next)).isEqualTo(LOCAL_BACKEND.value());
  }

  @Test
  void correctsALaterFragmentsPayloadOnlyWhereItsCallerDoes() {
    node.service(VIP, SERVICE, 1, HTTPBIN);
    int checksum = Ipv4Header.l4Offset(laterFragment()) + Tcp.CHECKSUM;
    for (boolean corrects : new boolean[] {true, false}) {
      SkBuff fragment = laterFragment();
      int before = fragment.u16(checksum);
      Conntrack.fill(tuple, fragment);
      state.clear();
      state.rawRevNatIndex = Short.reverseBytes((short) SERVICE) & 0xffff;
      assertThat(
              balancer.reverseNat(
                  fragment, Ipv4Header.l4Offset(fragment), state, tuple, true, corrects))
          .isZero();
      assertThat(Ipv4Header.saddr(fragment)).isEqualTo(VIP.value());
      assertThat(fragment.u16(checksum) != before).as("corrected").isEqualTo(corrects);
    }
  }

  private SkBuff laterFragment() {
    SkBuff fragment = node.tcp(HTTPBIN, 8080, CURL, 40000, Tcp.ACK);
    fragment.setU16(14 + Ipv4.FRAGMENT, 3);
    return fragment;
  }

  @Test
  void tracksAServiceConnectionUnderTheServicesAddress() {
    node.service(VIP, SERVICE, 1, HTTPBIN);
    translate(node.tcp(CURL, 40000, VIP, 80, Tcp.SYN), false);
    CtTuple entry = new CtTuple(VIP, CURL, 40000, 80, IpProtocol.TCP, CtTuple.SERVICE);
    assertThat(node.maps.conntrack().tcp().lookup(entry.encode())).isNotNull();
  }
}
