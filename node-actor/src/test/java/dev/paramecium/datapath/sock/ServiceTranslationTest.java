package dev.paramecium.datapath.sock;

import static dev.paramecium.datapath.sock.SocketNode.at;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4RevNatEntry;
import dev.paramecium.abi.Ipv4RevNatTuple;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketHooks;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the programs of bpf_sock.o do to the addresses in socket calls. */
final class ServiceTranslationTest {

  private static final int TCP = IpProtocol.TCP;
  private static final int UDP = IpProtocol.UDP;
  private static final SocketLbConfig FULL = new SocketLbConfig(false, true, 30000, 32767, true);

  private static final SocketAddress VIP = at("10.96.0.10", 80);
  private static final SocketAddress BACKEND = at(SocketNode.B, 8080);
  private static final SocketAddress SECOND = at(SocketNode.ELSEWHERE, 8080);
  private static final SocketAddress LOCAL = at(SocketNode.A, 0);

  private final SocketNode node = new SocketNode().with(FULL);
  private final SocketHooks pod = node.namespace(false);
  private final SocketHooks host = node.namespace(true);

  private SocketAddress connect(SocketHooks from, SocketAddress to) {
    return from.connect(TCP, from.newCookie(), LOCAL, to);
  }

  @Test
  void connectsToABackendAndRemembersWhatWasAsked() {
    node.service(VIP, 0, BACKEND);
    long cookie = pod.newCookie();
    assertThat(pod.connect(TCP, cookie, LOCAL, VIP)).isEqualTo(BACKEND);
    byte[] key = new Ipv4RevNatTuple(cookie, BACKEND.address(), BACKEND.port()).encode();
    assertThat(Ipv4RevNatEntry.decode(node.sockets.reverseSk().lookup(key)))
        .isEqualTo(new Ipv4RevNatEntry(VIP.address(), 80, 80));
    assertThat(pod.getpeername(TCP, cookie, LOCAL, BACKEND)).isEqualTo(VIP);
  }

  @Test
  void anotherSocketThatTalksToTheBackendItselfIsToldTheBackend() {
    node.service(VIP, 0, BACKEND);
    connect(pod, VIP);
    assertThat(pod.getpeername(TCP, pod.newCookie(), LOCAL, BACKEND)).isEqualTo(BACKEND);
  }

  @Test
  void leavesAloneWhatIsNoService() {
    node.service(VIP, 0, BACKEND);
    assertThat(connect(pod, at("10.96.0.10", 81))).isEqualTo(at("10.96.0.10", 81));
    assertThat(connect(pod, SECOND)).isEqualTo(SECOND);
    assertThat(node.sockets.reverseSk().size()).isZero();
  }

  @Test
  void lastingConnectionsSpreadOverAllBackendsByChance() {
    node.service(VIP, 0, BACKEND, SECOND);
    Set<SocketAddress> seen = new HashSet<>();
    for (int i = 0; i < 64; i++) {
      seen.add(connect(pod, VIP));
    }
    assertThat(seen).containsExactlyInAnyOrder(BACKEND, SECOND);
  }

  @Test
  void aUdpSocketStaysWithTheBackendThatItsCookieChooses() {
    node.service(VIP, 0, BACKEND, SECOND);
    SocketAddress even = pod.sendmsg(2, LOCAL, VIP);
    SocketAddress odd = pod.sendmsg(3, LOCAL, VIP);
    assertThat(even).isEqualTo(BACKEND);
    assertThat(odd).isEqualTo(SECOND);
    for (int i = 0; i < 16; i++) {
      assertThat(pod.sendmsg(3, LOCAL, VIP)).isEqualTo(odd);
    }
    assertThat(pod.recvmsg(3, LOCAL, odd)).isEqualTo(VIP);
    assertThat(pod.recvmsg(3, LOCAL, BACKEND)).isEqualTo(BACKEND);
  }

  @Test
  void aServiceWithoutBackendsIsConnectedToAsItIs() {
    node.service(VIP, 0);
    assertThat(connect(pod, VIP)).isEqualTo(VIP);
  }

  @Test
  void aMissingSlotOrBackendIsCountedAndTheCallProceeds() {
    node.service(VIP, 0, BACKEND);
    node.maps.services().backends().delete(Lb4Backend.encodeKey(1));
    assertThat(connect(pod, VIP)).isEqualTo(VIP);
    assertThat(node.counted(DropReason.LB_NO_BACKEND, MetricsKey.EGRESS)).isOne();
    Lb4Key slot = new Lb4Key(VIP.address(), VIP.port()).withBackendSlot(1);
    node.maps.services().services().delete(slot.encode());
    assertThat(connect(pod, VIP)).isEqualTo(VIP);
    assertThat(node.counted(DropReason.LB_NO_BACKEND_SLOT, MetricsKey.EGRESS)).isOne();
  }

  @Test
  void aPodMayBeItsOwnBackend() {
    node.service(VIP, 0, at(SocketNode.A, 8080));
    assertThat(connect(pod, VIP)).isEqualTo(at(SocketNode.A, 8080));
  }

  @Test
  void aServiceThatChangedIsNotNamedAnyMore() {
    node.service(VIP, 0, BACKEND);
    long cookie = pod.newCookie();
    pod.sendmsg(cookie, LOCAL, VIP);
    Lb4Key key = new Lb4Key(VIP.address(), VIP.port());
    node.maps.services().services().update(key.encode(), new Lb4Service(0, 1, 99, 0, 0).encode());
    assertThat(pod.recvmsg(cookie, LOCAL, BACKEND)).isEqualTo(BACKEND);
    assertThat(node.counted(DropReason.LB_REVERSE_ENTRY_STALE, MetricsKey.INGRESS)).isOne();
    assertThat(node.sockets.reverseSk().size()).isZero();
  }

  // ---- session affinity

  @Test
  void aNamespaceStaysWithItsBackendUntilTheTimeout() {
    node.service(VIP, 30, Lb4Service.FLAG_AFFINITY, 0, BACKEND, SECOND);
    SocketAddress first = connect(pod, VIP);
    for (int i = 0; i < 32; i++) {
      node.seconds += 20;
      assertThat(connect(pod, VIP)).isEqualTo(first);
    }
    assertThat(node.maps.services().affinity().size()).isOne();
    connect(node.namespace(false), VIP);
    assertThat(node.maps.services().affinity().size()).isEqualTo(2);
    node.seconds += 30;
    Set<SocketAddress> later = new HashSet<>();
    for (int i = 0; i < 64; i++) {
      later.add(connect(pod, VIP));
      node.seconds += 30;
    }
    assertThat(later).hasSize(2);
  }

  @Test
  void aBackendThatIsGoneEndsTheAffinity() {
    node.service(VIP, 30, Lb4Service.FLAG_AFFINITY, 0, BACKEND);
    assertThat(connect(pod, VIP)).isEqualTo(BACKEND);
    node.service(VIP, 30, Lb4Service.FLAG_AFFINITY, 0, SECOND);
    assertThat(connect(pod, VIP)).isEqualTo(SECOND);
  }

  // ---- NodePort, HostPort, ExternalIP

  private static final SocketAddress WILDCARD = at("0.0.0.0", 30080);

  @Test
  void aNodePortIsFoundBehindEveryNodesAddress() {
    node.service(WILDCARD, Lb4Service.FLAG_NODE_PORT, BACKEND);
    assertThat(connect(pod, at(SocketNode.NODE, 30080))).isEqualTo(BACKEND);
    assertThat(connect(pod, at(SocketNode.OTHER_NODE, 30080))).isEqualTo(BACKEND);
    assertThat(connect(pod, at("198.51.100.7", 30080))).isEqualTo(at("198.51.100.7", 30080));
    assertThat(connect(pod, at(SocketNode.ELSEWHERE, 30080)))
        .isEqualTo(at(SocketNode.ELSEWHERE, 30080));
  }

  @Test
  void aNodePortIsBehindLoopbackForTheNodeOnly() {
    node.service(WILDCARD, Lb4Service.FLAG_NODE_PORT, BACKEND);
    assertThat(connect(host, at("127.0.0.1", 30080))).isEqualTo(BACKEND);
    assertThat(connect(pod, at("127.0.0.1", 30080))).isEqualTo(at("127.0.0.1", 30080));
  }

  @Test
  void aHostPortIsBehindThisNodesAddressesOnly() {
    node.service(at("0.0.0.0", 8088), Lb4Service.FLAG_HOST_PORT, BACKEND);
    assertThat(connect(pod, at(SocketNode.NODE, 8088))).isEqualTo(BACKEND);
    assertThat(connect(host, at("127.0.0.1", 8088))).isEqualTo(BACKEND);
    assertThat(connect(pod, at(SocketNode.OTHER_NODE, 8088)))
        .isEqualTo(at(SocketNode.OTHER_NODE, 8088));
  }

  @Test
  void withoutNodePortTheWildcardsAreNotLookedUp() {
    SocketNode plain = new SocketNode().with(new SocketLbConfig(false, false, 30000, 32767, true));
    plain.service(WILDCARD, Lb4Service.FLAG_NODE_PORT, BACKEND);
    SocketAddress asked = at(SocketNode.NODE, 30080);
    assertThat(connect(plain.namespace(false), asked)).isEqualTo(asked);
  }

  @Test
  void anExternalAddressIsTranslatedOnlyIfItIsThisNodes() {
    SocketAddress world = at("198.51.100.7", 443);
    SocketAddress own = at(SocketNode.NODE, 443);
    node.service(world, Lb4Service.FLAG_EXTERNAL_IP, BACKEND);
    node.service(own, Lb4Service.FLAG_EXTERNAL_IP, BACKEND);
    assertThat(connect(pod, world)).isEqualTo(world);
    assertThat(connect(pod, own)).isEqualTo(BACKEND);
  }

  // ---- restrictions

  @Test
  void hostNamespaceOnlyLeavesPodsAlone() {
    SocketNode restricted =
        new SocketNode().with(new SocketLbConfig(true, true, 30000, 32767, true));
    restricted.service(VIP, 0, BACKEND);
    assertThat(connect(restricted.namespace(false), VIP)).isEqualTo(VIP);
    assertThat(connect(restricted.namespace(true), VIP)).isEqualTo(BACKEND);
  }

  @Test
  void aLocalRedirectIsNotForTheBackendItself() {
    node.service(VIP, 0, 0, Lb4Service.FLAG2_LOCAL_REDIRECT, BACKEND);
    SocketHooks backend =
        node.cgroup
            .namespace(false)
            .of(
                (protocol, address, port) ->
                    protocol == TCP
                        && address == BACKEND.address().value()
                        && port == BACKEND.port());
    assertThat(connect(backend, VIP)).isEqualTo(VIP);
    assertThat(connect(pod, VIP)).isEqualTo(BACKEND);
  }

  @Test
  void otherProtocolsAreNotTranslated() {
    node.service(VIP, 0, BACKEND);
    assertThat(pod.connect(132, pod.newCookie(), LOCAL, VIP)).isEqualTo(VIP);
  }

  @Test
  void theNodeCannotBindAServicesPortButPodsCan() {
    node.service(WILDCARD, Lb4Service.FLAG_NODE_PORT, BACKEND);
    node.service(at(SocketNode.NODE, 443), Lb4Service.FLAG_LOAD_BALANCER, BACKEND);
    assertThat(host.mayBind(TCP, 1, WILDCARD)).isFalse();
    assertThat(host.mayBind(UDP, 1, at(SocketNode.NODE, 30080))).isFalse();
    assertThat(host.mayBind(TCP, 1, at("127.0.0.1", 30080))).isFalse();
    assertThat(host.mayBind(TCP, 1, at(SocketNode.NODE, 443))).isFalse();
    assertThat(host.mayBind(TCP, 1, at(SocketNode.NODE, 30081))).isTrue();
    assertThat(pod.mayBind(TCP, 1, WILDCARD)).isTrue();
  }

  @Test
  void aClusterServicesPortMayBeBound() {
    node.service(at(SocketNode.NODE, 80), 0, BACKEND);
    assertThat(host.mayBind(TCP, 1, at(SocketNode.NODE, 80))).isTrue();
  }

  @Test
  void withNothingAttachedEveryCallIsWhatItWas() {
    SocketNode plain = new SocketNode();
    plain.service(VIP, 0, BACKEND);
    SocketHooks hooks = plain.namespace(false);
    assertThat(connect(hooks, VIP)).isEqualTo(VIP);
    assertThat(hooks.sendmsg(1, LOCAL, VIP)).isEqualTo(VIP);
    assertThat(hooks.mayBind(TCP, 1, VIP)).isTrue();
  }
}
