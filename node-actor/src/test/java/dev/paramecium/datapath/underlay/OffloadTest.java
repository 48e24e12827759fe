package dev.paramecium.datapath.underlay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Tcp;
import dev.paramecium.packet.TcpOptions;
import dev.paramecium.packet.Vxlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What is cut on its way out is right packet by packet, and is put together again on its way in.
 */
final class OffloadTest {

  private static final int MSS = 1398;
  private static final int LARGE = 8;
  private static final int INNER = OuterHeaders.LENGTH + Vxlan.HEADER_LENGTH;
  private static final int IP = INNER + Ethernet.HEADER_LENGTH;
  private static final int TCP = IP + Ipv4.MIN_HEADER_LENGTH;
  private static final int PAYLOAD = TCP + Tcp.MIN_HEADER_LENGTH;
  private static final Ipv4Address FROM = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address TO = Ipv4Address.parse("10.42.0.51");

  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 256, LARGE);

  @AfterEach
  void noBufferIsLost() {
    assertThat(pool.inUse()).isZero();
  }

  /** A TCP segment in VXLAN of a payload that is like no other. */
  private SkBuff segment(int payload, int flags) {
    Ipv4.Header ip =
        new Ipv4.Header(65_530, 63, IpProtocol.TCP, FROM, TO, Tcp.MIN_HEADER_LENGTH + payload);
    byte[] frame = new byte[PAYLOAD - INNER + payload];
    new Random(payload).nextBytes(frame);
    int at =
        new Ethernet.Header(new MacAddress(1), new MacAddress(2), EtherType.IPV4).encode(frame, 0);
    at = ip.encode(frame, at);
    new Tcp.Header(40_000, 80, -5000, 7, flags, 500, 0, TcpOptions.Value.NONE)
        .encode(frame, at, payload, ip.pseudoHeader());
    SkBuff packet = Objects.requireNonNull(payload > MSS ? pool.takeLarge() : pool.take());
    packet.setBytes(frame, 0, frame.length);
    packet.setU16(IP - INNER + Ipv4.FRAGMENT, Ipv4.DONT_FRAGMENT);
    packet.setU16(IP - INNER + Ipv4.CHECKSUM, 0);
    packet.setU16(
        IP - INNER + Ipv4.CHECKSUM,
        Checksum.finish(Checksum.sum(packet.bytes, packet.head + IP - INNER, 20)));
    packet.push(Vxlan.HEADER_LENGTH);
    Vxlan.write(packet.bytes, packet.head, 15773);
    OuterHeaders.push(packet, 0x7f00_0002, 0x7f00_0003, 64, 9, 50_000, Vxlan.LINUX_PORT);
    packet.gsoSize = payload > MSS ? MSS : 0;
    return packet;
  }

  private List<SkBuff> cut(SkBuff large) {
    List<SkBuff> packets = new ArrayList<>();
    for (int i = 0; i < Segmentation.count(large); i++) {
      packets.add(Objects.requireNonNull(Segmentation.packet(large, i, pool)));
    }
    return packets;
  }

  private List<SkBuff> merge(List<SkBuff> packets) {
    ReceiveOffload offload = new ReceiveOffload(pool);
    offload.burst(packets.size());
    List<SkBuff> out = new ArrayList<>();
    for (SkBuff packet : packets) {
      if (offload.merge(packet)) {
        continue;
      }
      add(out, offload.take());
      if (!offload.hold(packet)) {
        out.add(packet);
      }
    }
    add(out, offload.take());
    return out;
  }

  private static void add(List<SkBuff> packets, @Nullable SkBuff packet) {
    if (packet != null) {
      packets.add(packet);
    }
  }

  private static void assertIsRight(SkBuff packet) {
    byte[] bytes = packet.bytes;
    int ip = packet.head + IP;
    assertThat(packet.u16(Ethernet.HEADER_LENGTH + Ipv4.TOTAL_LENGTH))
        .isEqualTo(packet.length - Ethernet.HEADER_LENGTH);
    assertThat(OuterHeaders.payloadLength(packet)).isEqualTo(packet.length - OuterHeaders.LENGTH);
    assertThat(packet.u16(IP + Ipv4.TOTAL_LENGTH)).isEqualTo(packet.length - IP);
    assertThat(Checksum.isValid(bytes, packet.head + Ethernet.HEADER_LENGTH, 20, 0)).isTrue();
    assertThat(Checksum.isValid(bytes, ip, 20, 0)).isTrue();
    int length = packet.length - TCP;
    long pseudo = Checksum.pseudoHeader(FROM.value(), TO.value(), IpProtocol.TCP, length);
    assertThat(Checksum.isValid(bytes, packet.head + TCP, length, pseudo)).isTrue();
  }

  @Test
  void everyPieceHasLengthsIdentificationSequenceFlagsAndChecksumsOfItsOwn() {
    int payload = 40 * MSS + 100;
    SkBuff large = segment(payload, Tcp.ACK | Tcp.PSH);
    List<SkBuff> pieces = cut(large);
    assertThat(pieces).hasSize(41);
    for (int i = 0; i < pieces.size(); i++) {
      SkBuff piece = pieces.get(i);
      boolean last = i == pieces.size() - 1;
      assertIsRight(piece);
      assertThat(piece.length - PAYLOAD).isEqualTo(last ? 100 : MSS);
      assertThat(piece.u16(IP + Ipv4.IDENTIFICATION)).isEqualTo(65_530 + i & 0xffff);
      assertThat(piece.i32(TCP + Tcp.SEQUENCE)).isEqualTo(-5000 + i * MSS);
      assertThat(piece.u8(TCP + Tcp.FLAGS)).isEqualTo(last ? Tcp.ACK | Tcp.PSH : Tcp.ACK);
      pool.release(piece);
    }
    pool.release(large);
  }

  @Test
  void whatWasCutIsPutTogetherAgainByteForByte() {
    SkBuff large = segment(40 * MSS + 100, Tcp.ACK | Tcp.PSH);
    List<SkBuff> merged = merge(cut(large));
    assertThat(merged).hasSize(1);
    SkBuff whole = merged.getFirst();
    assertIsRight(whole);
    assertThat(whole.gsoSize).isEqualTo(MSS);
    assertThat(whole.checksumVerified).isTrue();
    assertThat(whole.toByteArray()).isEqualTo(large.toByteArray());
    pool.release(whole);
    pool.release(large);
  }

  @Test
  void aWrongChecksumEndsAPacketAndIsLeftForTheStackToFind() {
    SkBuff large = segment(30 * MSS, Tcp.ACK);
    List<SkBuff> pieces = cut(large);
    SkBuff damaged = pieces.get(10);
    damaged.setU8(PAYLOAD + 5, damaged.u8(PAYLOAD + 5) ^ 1);
    List<SkBuff> merged = merge(pieces);
    assertThat(merged)
        .extracting(packet -> packet.length - PAYLOAD)
        .containsExactly(10 * MSS, MSS, 19 * MSS);
    assertThat(merged)
        .extracting(packet -> packet.checksumVerified)
        .containsExactly(true, false, true);
    merged.forEach(pool::release);
    pool.release(large);
  }

  @Test
  void aGapAnotherConnectionOrAnOlderWindowEndsAPacket() {
    SkBuff large = segment(30 * MSS, Tcp.ACK);
    List<SkBuff> pieces = cut(large);
    pool.release(pieces.remove(5));
    change(pieces.get(10), TCP + Tcp.DESTINATION_PORT);
    change(pieces.get(20), TCP + Tcp.WINDOW);
    List<SkBuff> merged = merge(pieces);
    assertThat(merged)
        .extracting(packet -> (packet.length - PAYLOAD) / MSS)
        .containsExactly(5, 5, 1, 9, 1, 8);
    merged.forEach(OffloadTest::assertIsRight);
    merged.forEach(pool::release);
    pool.release(large);
  }

  /** Another value at an offset, and the checksum that goes with it. */
  private static void change(SkBuff packet, int offset) {
    int before = packet.u16(offset);
    packet.setU16(offset, before + 1);
    int checksum = packet.u16(TCP + Tcp.CHECKSUM);
    packet.setU16(TCP + Tcp.CHECKSUM, Checksum.replace16(checksum, before, before + 1));
  }

  @Test
  void aSmallBurstStaysAsItIs() {
    SkBuff large = segment(8 * MSS, Tcp.ACK);
    List<SkBuff> packets = merge(cut(large));
    assertThat(packets).hasSize(8).allMatch(packet -> packet.gsoSize == 0);
    packets.forEach(pool::release);
    pool.release(large);
  }

  @Test
  void withoutALargeBufferPacketsStayAsTheyAre() {
    List<SkBuff> taken = new ArrayList<>();
    SkBuff large = segment(30 * MSS, Tcp.ACK);
    for (int i = 0; i < LARGE - 1; i++) {
      taken.add(Objects.requireNonNull(pool.takeLarge()));
    }
    List<SkBuff> packets = merge(cut(large));
    assertThat(packets).hasSize(30);
    packets.forEach(OffloadTest::assertIsRight);
    packets.forEach(pool::release);
    taken.forEach(pool::release);
    pool.release(large);
  }
}
