package dev.paramecium.lib;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.SourceFile;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.inspect.Frames;
import dev.paramecium.map.CiliumMaps;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What leaves a node with NodePort ({@code snat_v4_needed}): packet, maps, check. */
class NatForwardTest {

  private static final int DIRECT_ROUTING = Ipv4Address.parse("192.168.1.12").value();
  private static final int ROUTER = Ipv4Address.parse("10.42.1.247").value();
  private static final int FRAGMENT = 20;
  private static final int PROTOCOL = 23;
  private static final int MORE_FRAGMENTS = 0x2000;

  private final AtomicInteger ids = new AtomicInteger(1);
  private final CiliumMaps maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);
  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 8);

  private int forward(
      TracePoint observation, Masquerade.@Nullable Config masquerade, SkBuff packet) {
    NodePortConfig nodePort =
        new NodePortConfig(
            2,
            0x0211_0000_0002L,
            DIRECT_ROUTING,
            32768,
            65535,
            Fib.NONE,
            NodePortConfig.Mode.SNAT,
            false,
            0,
            masquerade,
            false,
            1500);
    NodeConfig config =
        new NodeConfig(
            DIRECT_ROUTING,
            ROUTER,
            0xffff_ff00,
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
            nodePort);
    ProgramContext context =
        new ProgramContext(
            config, maps, Clock.system(), RandomSource.seeded(1), TraceRecorder.NONE);
    BpfLib lib = BpfLib.compile(context, 1, SourceFile.BPF_HOST, true);
    ProgramArray calls =
        new ProgramArray(ids.getAndIncrement(), "calls", CiliumMaps.CALLS, _ -> null);
    NodePort compiled = NodePort.compile("bpf_host.o", lib, calls, observation, Identity.WORLD);
    assertThat(compiled).isNotNull();
    return compiled.natForward(packet, PerCpu.current());
  }

  private SkBuff syn() {
    SkBuff packet = pool.take();
    assertThat(packet).isNotNull();
    packet.setBytes(Frames.SYN, 0, Frames.SYN.length);
    return packet;
  }

  private void startPod(int address) {
    maps.lxc()
        .map()
        .update(
            new EndpointKey(new Ipv4Address(address)).encode(),
            new EndpointInfo(12, 1180, 0, new MacAddress(1), new MacAddress(2)).encode());
  }

  private long fragmentsCounted() {
    byte[] value =
        maps.metrics()
            .map()
            .lookup(new MetricsKey(DropReason.FRAGMENTED, MetricsKey.EGRESS).encode());
    return value == null ? 0 : MetricsValue.decode(value).count();
  }

  @Test
  void countsAPodsFragmentsThatItDoesNotTranslate() {
    SkBuff first = syn();
    startPod(Ipv4Header.saddr(first));
    first.setU16(FRAGMENT, MORE_FRAGMENTS);
    assertThat(forward(TracePoint.TO_OVERLAY, null, first)).isEqualTo(Verdict.OK);
    assertThat(fragmentsCounted()).isEqualTo(1);
    assertThat(forward(TracePoint.TO_NETWORK, null, first)).isEqualTo(Verdict.OK);
    assertThat(fragmentsCounted()).isEqualTo(2);
  }

  @Test
  void doesNotAskAboutFragmentsOfWhomItDoesNotKnow() {
    SkBuff first = syn();
    first.setU16(FRAGMENT, MORE_FRAGMENTS);
    assertThat(forward(TracePoint.TO_NETWORK, null, first)).isEqualTo(Verdict.OK);
    assertThat(fragmentsCounted()).isZero();
  }

  @Test
  void translatesWhatHasTheMasqueradingAddressItself() {
    SkBuff packet = syn();
    int source = Ipv4Header.saddr(packet);
    Masquerade.Config masquerade =
        new Masquerade.Config(source, Ipv4Address.parse("10.99.0.0").value(), 0xffff_0000, false);
    assertThat(maps.nat().snat().size()).isZero();
    assertThat(forward(TracePoint.TO_NETWORK, masquerade, packet)).isEqualTo(Verdict.OK);
    assertThat(Ipv4Header.saddr(packet)).isEqualTo(source);
    assertThat(maps.nat().snat().size()).as("its port is taken, in both directions").isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({"8,true", "0,false"})
  void masqueradesAPodsEchoRequestsButNotItsReplies(int type, boolean masqueraded) {
    SkBuff packet = syn();
    startPod(Ipv4Header.saddr(packet));
    int source = Ipv4Header.saddr(packet);
    packet.setU8(PROTOCOL, IpProtocol.ICMP);
    packet.setU8(Ipv4Header.l4Offset(packet), type);
    maps.ipcache()
        .map()
        .update(
            new IpcacheKey(Ipv4Prefix.parse("0.0.0.0/0")).encode(),
            new RemoteEndpointInfo(Identity.WORLD, Ipv4Address.ANY).encode());
    Masquerade.Config masquerade =
        new Masquerade.Config(
            DIRECT_ROUTING, Ipv4Address.parse("10.99.0.0").value(), 0xffff_0000, false);
    assertThat(forward(TracePoint.TO_NETWORK, masquerade, packet)).isEqualTo(Verdict.OK);
    assertThat(Ipv4Header.saddr(packet)).isEqualTo(masqueraded ? DIRECT_ROUTING : source);
  }
}
