package dev.paramecium.lib;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.map.CiliumMaps;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What is collected from conntrack, and with it from NAT. */
class ConntrackGcTest {

  private static final Ipv4Address POD = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address PEER = Ipv4Address.parse("198.51.100.7");
  private static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.12");

  private static final CtTuple TRACKED =
      new CtTuple(POD, PEER, 80, 40000, IpProtocol.TCP, CtTuple.OUT);
  private static final CtTuple REQUEST =
      new CtTuple(PEER, POD, 80, 40000, IpProtocol.TCP, CtTuple.OUT);
  private static final CtTuple REPLY =
      new CtTuple(NODE, PEER, 50000, 80, IpProtocol.TCP, CtTuple.IN);

  private final AtomicInteger ids = new AtomicInteger(1);
  private final CiliumMaps maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);

  ConntrackGcTest() {
    map(REQUEST, NODE, 50000);
    map(REPLY, POD, 40000);
  }

  private void track(CtTuple tuple, int lifetime) {
    byte[] entry = new byte[CtEntry.SIZE];
    ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN).putInt(CtEntry.OFF_LIFETIME, lifetime);
    maps.conntrack().tcp().update(tuple.encode(), entry);
  }

  private void map(CtTuple tuple, Ipv4Address address, int port) {
    byte[] entry = new byte[Ipv4NatEntry.SIZE];
    ByteBuffer.wrap(entry)
        .putInt(Ipv4NatEntry.ADDRESS, address.value())
        .putShort(Ipv4NatEntry.PORT, (short) port);
    maps.nat().snat().update(tuple.encode(), entry);
  }

  @Test
  void takesBothMappingsOfAConnectionWithIt() {
    track(TRACKED, 100);
    assertThat(ConntrackGc.collect(maps.conntrack(), maps.nat(), 100).removed()).isZero();
    assertThat(maps.nat().snat().size()).isEqualTo(2);
    ConntrackGc.Round round = ConntrackGc.collect(maps.conntrack(), maps.nat(), 101);
    assertThat(round.removed()).isEqualTo(1);
    assertThat(round.ratio()).isEqualTo(1.0 / maps.conntrack().tcp().maxEntries());
    assertThat(maps.nat().snat().size()).isZero();
  }

  @Test
  void leavesMappingsOfOtherConnections() {
    track(new CtTuple(POD, PEER, 81, 40000, IpProtocol.TCP, CtTuple.OUT), 100);
    assertThat(ConntrackGc.collect(maps.conntrack(), maps.nat(), 101).removed()).isEqualTo(1);
    assertThat(maps.nat().snat().size()).isEqualTo(2);
  }

  @Test
  void purgesMappingsOnlyOfConnectionsThatConntrackForgot() {
    track(TRACKED, 100);
    ConntrackGc.purgeOrphans(maps.conntrack(), maps.nat());
    assertThat(maps.nat().snat().size()).isEqualTo(2);
    maps.conntrack().tcp().delete(TRACKED.encode());
    ConntrackGc.purgeOrphans(maps.conntrack(), maps.nat());
    assertThat(maps.nat().snat().size()).isZero();
  }

  @Test
  void keepsARequestsMappingForAConnectionThatCameIn() {
    track(new CtTuple(PEER, POD, 40000, 80, IpProtocol.TCP, CtTuple.IN), 100);
    ConntrackGc.purgeOrphans(maps.conntrack(), maps.nat());
    assertThat(maps.nat().snat().lookup(REQUEST.encode())).isNotNull();
    assertThat(maps.nat().snat().lookup(REPLY.encode())).isNull();
  }
}
