package dev.paramecium.packet;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/**
 * Golden bytes: each header as a real sender writes it, read by the view and written by the value.
 */
final class PacketValuesTest {

  private static final Ipv4Address POD = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address PEER = Ipv4Address.parse("10.42.0.51");

  /** A SYN that the real datapath was given (vectors, fc-remote-tcp). */
  private static final byte[] SYN =
      bytes(
          "0e00000001800a00000001800800"
              + "4500002c12344000400612c20a2a01500a2a0033"
              + "9c490050000003e8000000006002faf0e6dd0000020405b4");

  /** A UDP datagram that the real datapath was given. */
  private static final byte[] DATAGRAM =
      bytes(
          "0e00000001800a00000001800800"
              + "4500002112344000401112c20a2a01500a2a0033"
              + "14e90035000d910d68656c6c6f");

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }

  @Test
  void ethernet() {
    Ethernet.View view = new Ethernet.View();
    assertThat(view.wrap(SYN, 0, SYN.length)).isTrue();
    assertThat(view.destination()).isEqualTo(0x0e0000000180L);
    assertThat(view.source()).isEqualTo(0x0a0000000180L);
    assertThat(view.etherType()).isEqualTo(EtherType.IPV4);
    assertThat(view.isMulticast()).isFalse();
    assertThat(view.payloadAt()).isEqualTo(14);
    assertThat(view.payloadLength()).isEqualTo(44);

    assertThat(
            new Ethernet.Header(
                    MacAddress.parse("0e:00:00:00:01:80"),
                    MacAddress.parse("0a:00:00:00:01:80"),
                    EtherType.IPV4)
                .encode())
        .isEqualTo(bytes("0e00000001800a00000001800800"));
  }

  @Test
  void vlan() {
    byte[] tag = bytes("b0640800");
    Vlan.View view = new Vlan.View();
    assertThat(view.wrap(tag, 0, 4)).isTrue();
    assertThat(view.priority()).isEqualTo(5);
    assertThat(view.dropEligible()).isTrue();
    assertThat(view.id()).isEqualTo(100);
    assertThat(view.etherType()).isEqualTo(EtherType.IPV4);
    assertThat(new Vlan.Tag(5, true, 100, EtherType.IPV4).encode()).isEqualTo(tag);
  }

  @Test
  void arpRequestAndReply() {
    byte[] request = bytes("0001080006040001" + "f6000050f9920a2a0150" + "0000000000000a2a01f7");
    Arp.Packet value =
        Arp.Packet.request(
            MacAddress.parse("f6:00:00:50:f9:92"), POD, Ipv4Address.parse("10.42.1.247"));
    assertThat(value.encode()).isEqualTo(request);

    Arp.View view = new Arp.View();
    assertThat(view.wrap(request, 0, request.length)).isTrue();
    assertThat(view.operation()).isEqualTo(Arp.REQUEST);
    assertThat(view.senderMac()).isEqualTo(0xf6000050f992L);
    assertThat(view.senderIp()).isEqualTo(POD.value());
    assertThat(view.targetMac()).isZero();

    view.turnIntoReply(0xae36763ec303L);
    assertThat(request)
        .isEqualTo(bytes("0001080006040002" + "ae36763ec3030a2a01f7" + "f6000050f9920a2a0150"));
  }

  @Test
  void arpOfAnotherKindIsNone() {
    Arp.View view = new Arp.View();
    byte[] tokenRing = bytes("0006080006040001f6000050f9920a2a01500000000000000a2a01f7");
    assertThat(view.wrap(tokenRing, 0, tokenRing.length)).isFalse();
  }

  @Test
  void ipv4() {
    Ipv4.View view = new Ipv4.View();
    assertThat(view.wrap(SYN, 14, 44)).isTrue();
    assertThat(view.headerLength()).isEqualTo(20);
    assertThat(view.totalLength()).isEqualTo(44);
    assertThat(view.identification()).isEqualTo(0x1234);
    assertThat(view.dontFragment()).isTrue();
    assertThat(view.isFragment()).isFalse();
    assertThat(view.ttl()).isEqualTo(64);
    assertThat(view.protocol()).isEqualTo(IpProtocol.TCP);
    assertThat(view.source()).isEqualTo(POD.value());
    assertThat(view.destination()).isEqualTo(PEER.value());
    assertThat(view.checksumIsValid()).isTrue();
    assertThat(view.payloadAt()).isEqualTo(34);
    assertThat(view.payloadLength()).isEqualTo(24);

    Ipv4.Header value =
        new Ipv4.Header(0, 0x1234, true, false, 0, 64, IpProtocol.TCP, POD, PEER, new byte[0], 24);
    assertThat(value.encode()).isEqualTo(bytes("4500002c12344000400612c20a2a01500a2a0033"));
  }

  @Test
  void anIpv4FragmentWithOptions() {
    byte[] options = bytes("94040000"); // router alert
    Ipv4.Header value =
        new Ipv4.Header(0x10, 77, false, true, 1480, 3, IpProtocol.UDP, POD, PEER, options, 8);
    byte[] packet = new byte[32];
    assertThat(value.encode(packet, 0)).isEqualTo(24);

    Ipv4.View view = new Ipv4.View();
    assertThat(view.wrap(packet, 0, 32)).isTrue();
    assertThat(view.hasOptions()).isTrue();
    assertThat(view.tos()).isEqualTo(0x10);
    assertThat(view.isFragment()).isTrue();
    assertThat(view.moreFragments()).isTrue();
    assertThat(view.dontFragment()).isFalse();
    assertThat(view.fragmentOffset()).isEqualTo(1480);
    assertThat(view.payloadAt()).isEqualTo(24);
    assertThat(view.checksumIsValid()).isTrue();
    assertThat(packet).startsWith(0x46, 0x10, 0, 32, 0, 77, 0x20, 185, 3, 17);
  }

  @Test
  void aRewrittenIpv4HeaderHasTheChecksumOfAFreshOne() {
    byte[] packet = SYN.clone();
    Ipv4.View view = new Ipv4.View();
    view.wrap(packet, 14, 44);
    view.setTtl(63);
    view.setSource(0xc0a8010c);
    view.setDestination(0xffffffff);
    Ipv4.Header fresh =
        new Ipv4.Header(
            0,
            0x1234,
            true,
            false,
            0,
            63,
            IpProtocol.TCP,
            Ipv4Address.parse("192.168.1.12"),
            Ipv4Address.parse("255.255.255.255"),
            new byte[0],
            24);
    assertThat(Arrays.copyOfRange(packet, 14, 34)).isEqualTo(fresh.encode());
  }

  @Test
  void tcp() {
    Tcp.View view = new Tcp.View();
    assertThat(view.wrap(SYN, 34, 24)).isTrue();
    assertThat(view.sourcePort()).isEqualTo(40009);
    assertThat(view.destinationPort()).isEqualTo(80);
    assertThat(view.sequence()).isEqualTo(1000);
    assertThat(view.flags()).isEqualTo(Tcp.SYN);
    assertThat(view.has(Tcp.ACK)).isFalse();
    assertThat(view.window()).isEqualTo(0xfaf0);
    assertThat(view.headerLength()).isEqualTo(24);
    assertThat(view.payloadLength()).isZero();
    assertThat(view.checksumIsValid(POD.value(), PEER.value())).isTrue();
    assertThat(view.checksumIsValid(POD.value(), PEER.value() + 1)).isFalse();
    TcpOptions options = new TcpOptions();
    assertThat(view.readOptions(options)).isTrue();
    assertThat(options.mss()).isEqualTo(1460);
    assertThat(options.windowScale()).isEqualTo(-1);

    Tcp.Header value =
        new Tcp.Header(
            40009, 80, 1000, 0, Tcp.SYN, 0xfaf0, 0, new TcpOptions.Value(1460, -1, false, null));
    byte[] segment = new byte[24];
    value.encode(
        segment, 0, 0, Checksum.pseudoHeader(POD.value(), PEER.value(), IpProtocol.TCP, 24));
    assertThat(segment).isEqualTo(bytes("9c490050000003e8000000006002faf0e6dd0000020405b4"));
  }

  @Test
  void tcpOptionsAreWrittenAsLinuxWritesThem() {
    TcpOptions.Timestamps timestamps = new TcpOptions.Timestamps(0x01020304, 0x05060708);
    assertThat(encoded(new TcpOptions.Value(1460, 7, true, timestamps)))
        .isEqualTo("020405b4" + "0402080a0102030405060708" + "01030307");
    assertThat(encoded(new TcpOptions.Value(-1, -1, false, timestamps)))
        .isEqualTo("0101080a0102030405060708");
    assertThat(encoded(new TcpOptions.Value(536, -1, true, null))).isEqualTo("0204021801010402");
    assertThat(encoded(TcpOptions.Value.NONE)).isEmpty();
  }

  private static String encoded(TcpOptions.Value options) {
    byte[] out = new byte[options.length()];
    assertThat(options.encode(out, 0)).isEqualTo(out.length);
    return HexFormat.of().formatHex(out);
  }

  @Test
  void tcpOptionsAreReadAsTheyWereWritten() {
    TcpOptions options = new TcpOptions();
    byte[] wire = bytes("020405b40402080a010203040506070801030307");
    assertThat(options.read(wire, 0, wire.length)).isTrue();
    assertThat(options.mss()).isEqualTo(1460);
    assertThat(options.windowScale()).isEqualTo(7);
    assertThat(options.sackPermitted()).isTrue();
    assertThat(options.hasTimestamps()).isTrue();
    assertThat(options.timestampValue()).isEqualTo(0x01020304);
    assertThat(options.timestampEcho()).isEqualTo(0x05060708);

    byte[] sack = bytes("01010512000000010000000300000005000000ff0303200000000000");
    assertThat(options.read(sack, 0, sack.length)).isTrue();
    assertThat(options.mss()).isEqualTo(-1);
    assertThat(options.sackBlocks()).isEqualTo(2);
    assertThat(options.sackLeft(1)).isEqualTo(5);
    assertThat(options.sackRight(1)).isEqualTo(255);
    assertThat(options.windowScale()).isEqualTo(TcpOptions.MAX_WINDOW_SCALE);
  }

  @Test
  void malformedTcpOptionsKeepThoseBeforeTheFault() {
    TcpOptions options = new TcpOptions();
    byte[] zeroLength = bytes("020405b408000000");
    assertThat(options.read(zeroLength, 0, zeroLength.length)).isFalse();
    assertThat(options.mss()).isEqualTo(1460);
    byte[] cut = bytes("01010402080a");
    assertThat(options.read(cut, 0, cut.length)).isFalse();
    assertThat(options.sackPermitted()).isTrue();
    assertThat(options.hasTimestamps()).isFalse();
  }

  @Test
  void udp() {
    Udp.View view = new Udp.View();
    assertThat(view.wrap(DATAGRAM, 34, 13)).isTrue();
    assertThat(view.sourcePort()).isEqualTo(5353);
    assertThat(view.destinationPort()).isEqualTo(53);
    assertThat(view.payloadLength()).isEqualTo(5);
    assertThat(view.checksumIsValid(POD.value(), PEER.value())).isTrue();

    Udp.Header value = new Udp.Header(5353, 53, 5);
    byte[] datagram = new byte[13];
    value.encode(datagram, 0);
    System.arraycopy("hello".getBytes(US_ASCII), 0, datagram, 8, 5);
    value.writeChecksum(
        datagram, 0, Checksum.pseudoHeader(POD.value(), PEER.value(), IpProtocol.UDP, 13));
    assertThat(datagram).isEqualTo(bytes("14e90035000d910d68656c6c6f"));
  }

  @Test
  void anUdpPortIsRewrittenWithItsChecksumAndNoneStaysNone() {
    byte[] frame = DATAGRAM.clone();
    Udp.View view = new Udp.View();
    view.wrap(frame, 34, 13);
    view.setDestinationPort(5300);
    view.setSourcePort(1);
    assertThat(view.checksumIsValid(POD.value(), PEER.value())).isTrue();

    Wire.setU16(frame, 40, 0);
    view.setDestinationPort(53);
    assertThat(view.checksum()).isZero();
  }

  @Test
  void icmpEcho() {
    Icmp.Header request = Icmp.Header.echo(true, 0x1234, 1);
    byte[] message = request.encode(bytes("6162"));
    assertThat(message).isEqualTo(bytes("0800846812340001" + "6162"));
    Icmp.View view = new Icmp.View();
    assertThat(view.wrap(message, 0, message.length)).isTrue();
    assertThat(view.type()).isEqualTo(Icmp.ECHO_REQUEST);
    assertThat(view.identifier()).isEqualTo(0x1234);
    assertThat(view.sequence()).isEqualTo(1);
    assertThat(view.checksumIsValid()).isTrue();
    assertThat(view.isError()).isFalse();
  }

  @Test
  void icmpFragmentationNeeded() {
    byte[] message = Icmp.Header.fragmentationNeeded(1450).encode(new byte[28]);
    Icmp.View view = new Icmp.View();
    assertThat(view.wrap(message, 0, message.length)).isTrue();
    assertThat(view.isError()).isTrue();
    assertThat(view.code()).isEqualTo(Icmp.FRAGMENTATION_NEEDED);
    assertThat(view.nextHopMtu()).isEqualTo(1450);
    assertThat(view.payloadLength()).isEqualTo(28);
    assertThat(view.checksumIsValid()).isTrue();
  }

  @Test
  void vxlan() {
    byte[] header = bytes("08000000003d9d00");
    assertThat(new Vxlan.Header(15773).encode()).isEqualTo(header);
    Vxlan.View view = new Vxlan.View();
    assertThat(view.wrap(header, 0, 8)).isTrue();
    assertThat(view.vni()).isEqualTo(15773);
    assertThat(view.payloadLength()).isZero();
    assertThat(view.wrap(bytes("00000000003d9d00"), 0, 8)).as("without the VNI flag").isFalse();
    assertThat(view.wrap(bytes("ffffffffffffffff"), 0, 8)).isTrue();
    assertThat(view.vni()).isEqualTo(Vxlan.MAX_VNI);
  }

  @Test
  void valuesOutOfRangeAreRefusedWithTheRule() {
    assertThatThrownBy(() -> new Vxlan.Header(1 << 24)).hasMessageContaining("0 to 16777215");
    assertThatThrownBy(() -> new Udp.Header(70000, 1, 0)).hasMessageContaining("source port 70000");
    assertThatThrownBy(() -> new Ipv4.Header(1, 64, 6, POD, PEER, 65516))
        .hasMessageContaining("payload length");
    assertThatThrownBy(
            () -> new Ipv4.Header(0, 1, false, true, 9, 64, 6, POD, PEER, new byte[0], 8))
        .hasMessageContaining("multiple of 8");
    assertThatThrownBy(
            () -> new Ipv4.Header(0, 1, false, true, 8, 64, 6, POD, PEER, new byte[3], 8))
        .hasMessageContaining("in steps of 4");
    assertThatThrownBy(() -> new TcpOptions.Value(1460, 15, false, null))
        .hasMessageContaining("14");
    assertThatThrownBy(() -> new Vlan.Tag(8, false, 1, 0x0800)).hasMessageContaining("priority");
  }
}
