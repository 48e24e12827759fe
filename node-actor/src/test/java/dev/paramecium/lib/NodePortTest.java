package dev.paramecium.lib;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.SourceFile;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.bpf.TailCalls;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.inspect.Frames;
import dev.paramecium.map.CiliumMaps;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What starts over after NodePort had no business with it. */
class NodePortTest {

  private static final int NODE = Ipv4Address.parse("192.168.1.12").value();
  private static final int SENDER = 15773;

  private final AtomicInteger ids = new AtomicInteger(1);
  private final CiliumMaps maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);
  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 1);

  private NodeConfig config() {
    NodePortConfig nodePort =
        new NodePortConfig(2, 0x0211_0000_0002L, NODE, 32768, 65535, Fib.NONE);
    return new NodeConfig(
        NODE,
        Ipv4Address.parse("10.42.1.247").value(),
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
  }

  @Test
  void tellsWhoSentWhatStartsOver() {
    ProgramContext context =
        new ProgramContext(
            config(), maps, Clock.system(), RandomSource.seeded(1), TraceRecorder.NONE);
    BpfLib lib = BpfLib.compile(context, 1, SourceFile.BPF_HOST, true);
    ProgramArray calls =
        new ProgramArray(ids.getAndIncrement(), "calls", CiliumMaps.CALLS, _ -> null);
    NodePort nodePort =
        Objects.requireNonNull(
            NodePort.compile("bpf_host.o", lib, calls, TracePoint.TO_NETWORK, Identity.HOST));
    for (ProgramSection section : nodePort.tailCalls()) {
      calls.set(section.slot(), ids.getAndIncrement(), section.program());
    }
    List<Integer> told = new ArrayList<>();
    calls.set(
        Calls.IPV4_FROM_NETDEV,
        ids.getAndIncrement(),
        packet -> {
          told.add(packet.cb0);
          return Verdict.OK;
        });
    SkBuff syn = Objects.requireNonNull(pool.take());
    syn.setBytes(Frames.SYN, 0, Frames.SYN.length);
    int verdict =
        TailCalls.run(packet -> nodePort.loadBalance(packet, SENDER, PerCpu.current()), syn);
    assertThat(verdict).isEqualTo(Verdict.OK);
    assertThat(told).as("CB_SRC_IDENTITY").containsExactly(SENDER);
  }
}
