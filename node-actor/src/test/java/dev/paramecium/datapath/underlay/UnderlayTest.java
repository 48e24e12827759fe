package dev.paramecium.datapath.underlay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class UnderlayTest {

  private static final Ipv4Address ONE = Ipv4Address.parse("127.0.0.21");
  private static final Ipv4Address TWO = Ipv4Address.parse("127.0.0.22");
  private static final int VXLAN_HEADER = 8;

  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4096);
  private final int port = freePort();
  private final NodeResolver resolver = NodeResolver.identity(port);
  private final ConcurrentLinkedQueue<byte[]> arrived = new ConcurrentLinkedQueue<>();
  private final List<Underlay> open = new ArrayList<>();

  private static int freePort() {
    try (DatagramSocket probe = new DatagramSocket()) {
      return Math.max(20_000, probe.getLocalPort() & ~1);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Underlay open(UnderlayKind kind, Ipv4Address node) {
    Underlay underlay = Underlays.open(kind, node, resolver, pool);
    open.add(underlay);
    return underlay;
  }

  private void collect(PacketBatch frames) {
    for (int i = 0; i < frames.size(); i++) {
      arrived.add(frames.get(i).toByteArray());
    }
    pool.releaseWithPackets(frames);
  }

  @AfterEach
  void close() {
    open.forEach(Underlay::close);
    assertThat(pool.inUse()).isZero();
  }

  /** A VXLAN frame from node 1 to node 2 with a payload of its own. */
  private SkBuff vxlan(Underlay underlay, int flowHash, int payloadLength, int seed) {
    SkBuff packet = pool.take();
    assertThat(packet).isNotNull();
    byte[] payload = new byte[VXLAN_HEADER + payloadLength];
    Arrays.fill(payload, (byte) seed);
    payload[0] = 8;
    packet.setBytes(payload, 0, payload.length);
    packet.hash = flowHash;
    OuterHeaders.push(packet, ONE.value(), TWO.value(), 64, 0, underlay.sourcePort(flowHash), 8472);
    return packet;
  }

  private static byte[] withoutIdentification(byte[] frame) {
    byte[] copy = frame.clone();
    Arrays.fill(copy, 18, 20, (byte) 0);
    Arrays.fill(copy, 24, 26, (byte) 0); // the checksum follows the identification
    return copy;
  }

  @ParameterizedTest
  @EnumSource(UnderlayKind.class)
  void carriesVxlanFramesOfAllSizesInTheOrderOfTheirFlow(UnderlayKind kind) {
    Underlay one = open(kind, ONE);
    Underlay two = open(kind, TWO);
    one.start(this::collect);
    two.start(this::collect);
    List<byte[]> sent = new ArrayList<>();
    int[] lengths = {14, 60, 1464, 1464, 1464, 700, 1464, 1, 0};
    PacketBatch batch = pool.takeBatch();
    for (int i = 0; i < lengths.length; i++) {
      SkBuff packet = vxlan(one, 7, lengths[i], i + 1);
      sent.add(withoutIdentification(packet.toByteArray()));
      batch.add(packet);
    }
    one.send(batch);
    await().until(() -> arrived.size() == lengths.length);
    assertThat(arrived.stream().map(UnderlayTest::withoutIdentification).toList())
        .usingElementComparator(Arrays::compare)
        .containsExactlyElementsOf(sent);
  }

  @ParameterizedTest
  @EnumSource(UnderlayKind.class)
  void carriesFramesThatAreNotVxlan(UnderlayKind kind) {
    Underlay one = open(kind, ONE);
    Underlay two = open(kind, TWO);
    one.start(this::collect);
    two.start(this::collect);
    SkBuff packet = pool.take();
    assertThat(packet).isNotNull();
    byte[] frame = new byte[1514];
    Arrays.fill(frame, 14, frame.length, (byte) 0x5a);
    packet.setBytes(frame, 0, frame.length);
    packet.setMac(0, OuterHeaders.macOf(TWO.value()));
    packet.setU16(12, 0x0800);
    byte[] sent = packet.toByteArray();
    PacketBatch batch = pool.takeBatch();
    batch.add(packet);
    one.send(batch);
    await().until(() -> arrived.size() == 1);
    assertThat(arrived.peek()).isEqualTo(sent);
  }

  @Test
  void flowsLeaveFromDifferentRealPortsThatTheEmulatedHeaderShows() throws IOException {
    Underlay one = open(UnderlayKind.UDP, ONE);
    try (DatagramSocket peer =
        new DatagramSocket(new InetSocketAddress(InetAddress.getByName(TWO.toString()), port))) {
      List<Integer> real = new ArrayList<>();
      List<Integer> emulated = new ArrayList<>();
      for (int hash = 0; hash < 4; hash++) {
        PacketBatch batch = pool.takeBatch();
        batch.add(vxlan(one, hash, 60, 1));
        one.send(batch);
        DatagramPacket datagram = new DatagramPacket(new byte[2048], 2048);
        peer.setSoTimeout(5000);
        peer.receive(datagram);
        real.add(datagram.getPort());
        emulated.add(one.sourcePort(hash));
        assertThat(datagram.getLength()).isEqualTo(VXLAN_HEADER + 60);
      }
      assertThat(real).isEqualTo(emulated).doesNotHaveDuplicates();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = UnderlayKind.class,
      names = {"UDP_GSO", "UDP_NIO"})
  void takesVxlanFromAnyPortOfAnyAddress(UnderlayKind kind) throws IOException {
    Underlay two = open(kind, TWO);
    two.start(this::collect);
    try (DatagramSocket stranger =
        new DatagramSocket(new InetSocketAddress(InetAddress.getByName("127.0.0.99"), 0))) {
      byte[] payload = new byte[60];
      payload[0] = 8;
      stranger.send(
          new DatagramPacket(payload, payload.length, InetAddress.getByName(TWO.toString()), port));
      await().until(() -> arrived.size() == 1);
      byte[] frame = arrived.element();
      assertThat(Arrays.copyOfRange(frame, 26, 30)).containsExactly(127, 0, 0, 99);
      assertThat((frame[34] & 0xff) << 8 | frame[35] & 0xff).isEqualTo(stranger.getLocalPort());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = UnderlayKind.class,
      names = {"UDP_GSO", "UDP_NIO"})
  void countsDatagramsThatAreTooShortOrTooLong(UnderlayKind kind) throws IOException {
    Underlay two = open(kind, TWO);
    two.start(this::collect);
    try (DatagramSocket stranger = new DatagramSocket()) {
      for (int length : new int[] {0, 7, 2000, 9000}) {
        stranger.send(
            new DatagramPacket(
                new byte[length], length, InetAddress.getByName(TWO.toString()), port));
      }
      await()
          .untilAsserted(
              () ->
                  assertThat(two.counters())
                      .containsEntry("underlay_drop_too_short", 2L)
                      .containsEntry("underlay_drop_too_long", 2L));
      assertThat(arrived).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(UnderlayKind.class)
  void saysWhichPortIsInUse(UnderlayKind kind) {
    Underlay unused = open(kind, ONE);
    assertThatThrownBy(() -> Underlays.open(kind, ONE, resolver, pool))
        .isInstanceOf(UnderlayException.class)
        .hasMessageContaining("port " + port + " on 127.0.0.21 is in use");
    unused.start(this::collect);
  }

  @ParameterizedTest
  @EnumSource(UnderlayKind.class)
  void saysThatAnAddressIsNotThisMachines(UnderlayKind kind) {
    assertThatThrownBy(() -> Underlays.open(kind, Ipv4Address.parse("192.0.2.1"), resolver, pool))
        .isInstanceOf(UnderlayException.class)
        .hasMessageContaining("on 192.0.2.1 cannot be bound")
        .hasMessageContaining("one of this machine's");
  }

  @Test
  void faultyUnderlayLosesRepeatsAndReordersByItsSeed() {
    assertThat(faulty(11)).isEqualTo(faulty(11)).isNotEqualTo(faulty(12));
  }

  private List<Integer> faulty(long seed) {
    arrived.clear();
    MemoryNetwork network = new MemoryNetwork();
    Underlay two = network.attach(TWO, pool);
    two.start(this::collect);
    FaultyUnderlay one =
        new FaultyUnderlay(
            network.attach(ONE, pool),
            new FaultyUnderlay.Faults(100, 100, 100),
            RandomSource.seeded(seed),
            pool);
    for (int i = 0; i < 100; i++) {
      PacketBatch batch = pool.takeBatch();
      batch.add(vxlan(one, 1, 60, i));
      one.send(batch);
    }
    one.close();
    return arrived.stream().map(frame -> frame[frame.length - 1] & 0xff).toList();
  }
}
