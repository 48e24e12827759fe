package dev.paramecium.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Random bytes at a random place of a buffer that ends right behind them: a view either refuses
 * them or all its accessors work and stay inside.
 */
final class MalformedInputTest {

  /** Bytes to look at, {@code from} of a buffer. */
  @SuppressWarnings("ArrayRecordComponent") // only carried
  record Input(byte[] bytes, int from) {
    int length() {
      return bytes.length - from;
    }
  }

  @Provide
  Arbitrary<Input> inputs() {
    Arbitrary<Byte> octets =
        Arbitraries.oneOf(
            Arbitraries.bytes(),
            Arbitraries.of((byte) 0x45, (byte) 0x46, (byte) 0x4f, (byte) 0, (byte) 8, (byte) 0xff));
    return Combinators.combine(
            octets.array(byte[].class).ofMaxSize(90), Arbitraries.integers().between(0, 20))
        .as(
            (bytes, from) -> {
              int start = Math.min(from, bytes.length);
              // Often make the first octets plausible, or the deeper checks are never reached.
              if (bytes.length - start > 4 && (bytes[start] & 1) == 0) {
                bytes[start] = (byte) (0x45 + (bytes[start + 1] & 3));
                bytes[start + 2] = 0;
              }
              return new Input(bytes, start);
            });
  }

  private static void staysInside(Input input, int payloadAt, int payloadLength) {
    assertThat(payloadLength).isNotNegative();
    assertThat(payloadAt).isGreaterThanOrEqualTo(input.from);
    assertThat(payloadAt + payloadLength).isLessThanOrEqualTo(input.bytes.length);
  }

  @Property
  void ethernet(@ForAll("inputs") Input input) {
    Ethernet.View view = new Ethernet.View();
    if (view.wrap(input.bytes, input.from, input.length())) {
      view.setSource(view.destination());
      view.setDestination(view.source() ^ view.etherType());
      view.setEtherType(view.isMulticast() ? 0 : 1);
      staysInside(input, view.payloadAt(), view.payloadLength());
    } else {
      assertThat(input.length()).isLessThan(14);
    }
  }

  @Property
  void vlan(@ForAll("inputs") Input input) {
    Vlan.View view = new Vlan.View();
    if (view.wrap(input.bytes, input.from, input.length())) {
      assertThat(view.id()).isBetween(0, 4095);
      assertThat(view.priority()).isBetween(0, 7);
      assertThat(view.etherType() + (view.dropEligible() ? 1 : 0)).isNotNegative();
      staysInside(input, view.payloadAt(), view.payloadLength());
    } else {
      assertThat(input.length()).isLessThan(4);
    }
  }

  @Property
  void arp(@ForAll("inputs") Input input) {
    byte[] bytes = Arrays.copyOf(input.bytes, input.bytes.length + Arp.LENGTH);
    if (input.length() >= 6) {
      // Plausible, or the deeper accessors are never reached.
      new Arp.Packet(
              Arp.REQUEST,
              MacAddress.ZERO,
              Ipv4Address.ANY,
              new MacAddress(bytes[input.from] & 0xff),
              new Ipv4Address(bytes[input.from + 1]))
          .encode(bytes, input.from);
    }
    Arp.View view = new Arp.View();
    if (view.wrap(bytes, input.from, input.length())) {
      int asked = view.targetIp();
      long asker = view.senderMac();
      view.turnIntoReply(42);
      assertThat(view.senderIp()).isEqualTo(asked);
      assertThat(view.targetMac()).isEqualTo(asker);
      assertThat(view.operation()).isEqualTo(Arp.REPLY);
      assertThat(input.length()).isGreaterThanOrEqualTo(28);
    }
  }

  @Property
  void ipv4(@ForAll("inputs") Input input) {
    Ipv4.View view = new Ipv4.View();
    if (view.wrap(input.bytes, input.from, input.length())) {
      boolean valid = view.checksumIsValid();
      view.setTtl(view.ttl() - 1 & 0xff);
      view.setSource(view.destination() + view.tos());
      view.setDestination(view.source() ^ view.identification());
      assertThat(view.checksumIsValid()).isEqualTo(valid);
      assertThat(view.fragmentOffset()).isBetween(0, 65528);
      assertThat(view.isFragment()).isEqualTo(view.moreFragments() || view.fragmentOffset() > 0);
      assertThat(view.hasOptions()).isEqualTo(view.headerLength() > 20);
      assertThat(view.pseudoHeader()).isNotNegative();
      assertThat(view.totalLength()).isEqualTo(view.headerLength() + view.payloadLength());
      staysInside(input, view.payloadAt(), view.payloadLength());
    }
  }

  @Property
  void icmp(@ForAll("inputs") Input input) {
    Icmp.View view = new Icmp.View();
    if (view.wrap(input.bytes, input.from, input.length())) {
      assertThat(view.identifier() << 16 | view.sequence())
          .isEqualTo(Wire.i32(input.bytes, input.from + 4));
      assertThat(view.nextHopMtu()).isEqualTo(view.sequence());
      assertThat(view.type() + view.code() + view.checksum()).isNotNegative();
      assertThat(view.isError())
          .isEqualTo(view.type() == 3 || view.type() == 11 || view.type() == 12);
      view.checksumIsValid();
      staysInside(input, view.payloadAt(), view.payloadLength());
    } else {
      assertThat(input.length()).isLessThan(8);
    }
  }

  @Property
  void udp(@ForAll("inputs") Input input) {
    Udp.View view = new Udp.View();
    if (view.wrap(input.bytes, input.from, input.length())) {
      boolean valid = view.checksumIsValid(1, 2);
      view.setSourcePort(view.destinationPort());
      view.setDestinationPort(view.sourcePort() ^ 0x5555);
      assertThat(view.checksumIsValid(1, 2)).isEqualTo(valid);
      assertThat(view.length()).isEqualTo(8 + view.payloadLength());
      staysInside(input, view.payloadAt(), view.payloadLength());
    }
  }

  @Property
  void tcp(@ForAll("inputs") Input input) {
    Tcp.View view = new Tcp.View();
    if (view.wrap(input.bytes, input.from, input.length())) {
      boolean valid = view.checksumIsValid(1, 2);
      view.setSourcePort(view.destinationPort());
      view.setDestinationPort(view.sourcePort() ^ 0x5555);
      assertThat(view.checksumIsValid(1, 2)).isEqualTo(valid);
      assertThat(view.has(Tcp.SYN)).isEqualTo((view.flags() & 2) != 0);
      assertThat(view.window() + view.urgentPointer() + view.checksum()).isNotNegative();
      TcpOptions options = new TcpOptions();
      view.readOptions(options);
      assertThat(options.windowScale()).isBetween(-1, 14);
      for (int i = 0; i < options.sackBlocks(); i++) {
        assertThat(options.sackRight(i) - options.sackLeft(i))
            .isEqualTo(-(options.sackLeft(i) - options.sackRight(i)));
      }
      staysInside(input, view.payloadAt(), view.payloadLength());
    }
  }

  @Property
  void vxlan(@ForAll("inputs") Input input) {
    Vxlan.View view = new Vxlan.View();
    if (view.wrap(input.bytes, input.from, input.length())) {
      assertThat(view.vni()).isBetween(0, Vxlan.MAX_VNI);
      staysInside(input, view.payloadAt(), view.payloadLength());
    }
  }

  @Property
  void tcpOptions(@ForAll("inputs") Input input) {
    TcpOptions options = new TcpOptions();
    options.read(input.bytes, input.from, input.length());
    assertThat(options.mss()).isBetween(-1, 0xffff);
    assertThat(options.sackBlocks()).isBetween(0, 4);
  }

  @Property
  void theFlowHashOfAnythingIsAHash(@ForAll("inputs") Input input) {
    int hash = FlowHash.of(input.bytes, input.from, input.length());
    assertThat(hash).isNotZero();
    assertThat(FlowHash.sourcePort(hash))
        .isBetween(FlowHash.MIN_SOURCE_PORT, FlowHash.MAX_SOURCE_PORT);
  }
}
