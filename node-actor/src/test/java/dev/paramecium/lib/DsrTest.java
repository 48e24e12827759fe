package dev.paramecium.lib;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.abi.SourceFile;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.inspect.Frames;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.packet.Checksum;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Direct server return: the option byte for byte, what it is remembered as, what does not fit. */
class DsrTest {

  private static final int SERVICE = Ipv4Address.parse("10.96.0.10").value();
  private static final int PORT = 80;
  private static final int MTU = 1500;

  private final AtomicInteger ids = new AtomicInteger(1);
  private final CiliumMaps maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);
  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 8);

  private Dsr dsr(NodePortConfig.Mode mode, boolean pmtuDiscovery, int mtu) {
    NodePortConfig nodePort =
        new NodePortConfig(
            2,
            0x0211_0000_0002L,
            1,
            32768,
            65535,
            Fib.NONE,
            mode,
            false,
            0,
            null,
            pmtuDiscovery,
            mtu);
    NodeConfig config =
        new NodeConfig(
            1,
            2,
            0xffff_ff00,
            3,
            5,
            3,
            4,
            0,
            0,
            0,
            1,
            6,
            8472,
            0,
            false,
            ConntrackTimeouts.DEFAULT,
            nodePort);
    ProgramContext context =
        new ProgramContext(
            config, maps, Clock.system(), RandomSource.seeded(1), TraceRecorder.NONE);
    Dsr dsr = Dsr.compile(BpfLib.compile(context, 1, SourceFile.BPF_HOST, true));
    assertThat(dsr).isNotNull();
    return dsr;
  }

  private SkBuff packet(byte[] frame) {
    SkBuff packet = pool.take();
    assertThat(packet).isNotNull();
    packet.length = frame.length;
    System.arraycopy(frame, 0, packet.bytes, packet.head, frame.length);
    return packet;
  }

  @Test
  void putsServiceAndPortIntoAnOptionOfTheSyn() {
    SkBuff packet = packet(Frames.SYN);
    assertThat(dsr(NodePortConfig.Mode.DSR, false, MTU).setOption(packet, SERVICE, PORT)).isZero();
    byte[] sent = packet.toByteArray();
    assertThat(sent).hasSize(Frames.SYN.length + 8);
    assertThat(HexFormat.of().formatHex(sent, 14, 18)).isEqualTo("47000044");
    assertThat(HexFormat.of().formatHex(sent, 34, 42))
        .as("type and length, then port and address from their last byte to their first")
        .isEqualTo("9a0850000a00600a");
    assertThat(Checksum.isValid(sent, 14, 28, 0)).isTrue();
    assertThat(Arrays.copyOfRange(sent, 42, sent.length))
        .as("the transport header follows as it was")
        .isEqualTo(Arrays.copyOfRange(Frames.SYN, 34, Frames.SYN.length));
  }

  @Test
  void leavesLaterSegmentsAsTheyAre() {
    SkBuff packet = packet(Frames.ACK);
    assertThat(dsr(NodePortConfig.Mode.DSR, false, MTU).setOption(packet, SERVICE, PORT)).isZero();
    assertThat(packet.toByteArray()).isEqualTo(Frames.ACK);
  }

  @Test
  void remembersWhoWasAskedAndAnswersInThatName() {
    Dsr dsr = dsr(NodePortConfig.Mode.DSR, false, MTU);
    SkBuff request = packet(Frames.SYN);
    dsr.setOption(request, SERVICE, PORT + 8000);
    assertThat(dsr.remember(request, PerCpu.current())).isEqualTo(1);
    byte[] entry =
        maps.nat()
            .snat()
            .lookup(
                new CtTuple(
                        Ipv4Address.parse("10.42.1.80"),
                        Ipv4Address.parse("10.42.0.51"),
                        41212,
                        80,
                        IpProtocol.TCP,
                        CtTuple.OUT)
                    .encode());
    assertThat(entry).isNotNull();
    assertThat(Ipv4NatEntry.decode(entry))
        .matches(e -> e.address().toString().equals("10.96.0.10") && e.port() == 8080);

    SkBuff answer = packet(Frames.SYN_ACK);
    Ipv4CtTuple tuple = new Ipv4CtTuple();
    Conntrack.fill(tuple, answer);
    tuple.dport = 80;
    tuple.sport = 41212;
    assertThat(dsr.translate(answer, tuple, 34, PerCpu.current())).isZero();
    assertThat(answer.i32(26)).isEqualTo(SERVICE);
    assertThat(answer.u16(34)).isEqualTo(8080);
    byte[] sent = answer.toByteArray();
    int length = sent.length - 34;
    assertThat(Checksum.isValid(sent, 14, 20, 0)).isTrue();
    long pseudo = Checksum.pseudoHeader(answer.i32(26), answer.i32(30), IpProtocol.TCP, length);
    assertThat(Checksum.isValid(sent, 34, length, pseudo)).isTrue();
  }

  @Test
  void doesNotMistakeOtherOptionsForItsOwn() {
    Dsr dsr = dsr(NodePortConfig.Mode.DSR, false, MTU);
    assertThat(dsr.remember(packet(Frames.SYN), PerCpu.current())).isZero();
    SkBuff other = packet(Frames.SYN);
    dsr.setOption(other, SERVICE, PORT);
    other.setU8(34, 0x94);
    assertThat(dsr.remember(other, PerCpu.current())).isZero();
    SkBuff cut = packet(Frames.SYN);
    dsr.setOption(cut, SERVICE, PORT);
    cut.length = 40;
    assertThat(dsr.remember(cut, PerCpu.current())).isEqualTo(-DropReason.INVALID);
  }

  @Test
  void tellsTheClientByIcmpThatThereIsNoRoom() {
    int mtu = Frames.SYN.length - 14 + 7;
    Dsr dsr = dsr(NodePortConfig.Mode.DSR, true, mtu);
    SkBuff packet = packet(Frames.SYN);
    assertThat(dsr.setOption(packet, SERVICE, PORT)).isEqualTo(-DropReason.FRAG_NEEDED);
    packet.ifindex = 2;
    dsr.replyTooBig(packet);
    byte[] sent = packet.toByteArray();
    assertThat(sent).hasSize(14 + 20 + 8 + 20 + 8);
    assertThat(HexFormat.of().formatHex(sent, 0, 12)).isEqualTo("f60050f992a1ae36763ec303");
    assertThat(HexFormat.of().formatHex(sent, 14, 24)).isEqualTo("45000038000140004001");
    assertThat(packet.i32(26)).as("from whom the packet was for").isEqualTo(0x0a2a0033);
    assertThat(packet.i32(30)).isEqualTo(0x0a2a0150);
    assertThat(packet.u16(34)).as("fragmentation needed").isEqualTo(0x0304);
    assertThat(packet.u16(40)).isEqualTo(mtu - 8);
    assertThat(Checksum.isValid(sent, 14, 20, 0)).isTrue();
    assertThat(Checksum.isValid(sent, 34, sent.length - 34, 0)).isTrue();
    assertThat(Arrays.copyOfRange(sent, 42, sent.length))
        .isEqualTo(Arrays.copyOfRange(Frames.SYN, 14, 42));
  }

  @Test
  void isUsedForTcpAloneInHybridMode() {
    Dsr hybrid = dsr(NodePortConfig.Mode.HYBRID, false, MTU);
    assertThat(hybrid.isUsedFor(IpProtocol.TCP)).isTrue();
    assertThat(hybrid.isUsedFor(IpProtocol.UDP)).isFalse();
    assertThat(dsr(NodePortConfig.Mode.DSR, false, MTU).isUsedFor(IpProtocol.UDP)).isTrue();
  }

  /** Computed by an independent implementation of lookup3's final mix. */
  @Test
  void spreadsConnectionsAsTheKernelsJhashDoes() {
    assertThat(JHash.threeWords(1, 2, 3, 0)).isEqualTo(0xa46158f5);
    assertThat(JHash.threeWords(0xc0a80101, 0x50123456, 6, 0x71dcda46)).isEqualTo(0x6a9f37a1);
  }
}
