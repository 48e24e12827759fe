package dev.paramecium.inspect.cilium;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.SourceFile;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.inspect.AgentSocket;
import dev.paramecium.inspect.Frames;
import dev.paramecium.inspect.HostTools;
import dev.paramecium.inspect.IdentityLabels;
import dev.paramecium.inspect.ToolRun;
import dev.paramecium.inspect.WalkNode;
import dev.paramecium.syscall.AgentCall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MonitorTest {

  private final WalkNode node = new WalkNode();

  private static byte[] trace(TracePoint point, TraceReason reason, int destinationId) {
    return new TraceNotify(
            point.code(),
            1180,
            0x3000e251,
            74,
            27021,
            15773,
            destinationId,
            reason.code(),
            false,
            43,
            Ipv4Address.parse("10.42.1.80"),
            Frames.SYN)
        .encode();
  }

  private static final byte[] DROP =
      new DropNotify(
              DropReason.POLICY,
              1180,
              0,
              74,
              27021,
              15773,
              0,
              1181,
              SourceFile.BPF_LXC,
              0,
              Frames.SYN)
          .encode();

  private static byte[] verdict(int remote, int verdict, int direction, int match) {
    return new PolicyVerdictNotify(
            232, 0x63113709, 74, remote, verdict, 80, 6, direction, false, match, false, Frames.SYN)
        .encode();
  }

  private String lines(String command, byte[]... events) {
    ToolRun run = node.run(command);
    for (byte[] event : events) {
      node.emit(1, event);
    }
    return run.settle().out();
  }

  @Test
  void announcesItselfOnStderrAndLeavesOnCtrlC() {
    ToolRun run = node.run("cilium monitor");
    assertThat(run.err())
        .isEqualTo(
            "Listening for events on 2 CPUs with 64x4096 of shared memory\n"
                + "Press Ctrl-C to quit\n");
    assertThat(run.exitCode()).isNull();
    assertThat(node.listeners()).isOne();
    run.signal(2);
    assertThat(run.exitCode()).isZero();
    assertThat(node.listeners()).isZero();
    assertThat(run.err()).endsWith("\nReceived an interrupt, disconnecting from monitor...\n\n");
  }

  @ParameterizedTest
  @CsvSource({
    "TO_LXC, -> endpoint 212",
    "TO_PROXY, -> proxy port 212",
    "TO_HOST, -> host from",
    "TO_STACK, -> stack",
    "TO_OVERLAY, -> overlay",
    "FROM_LXC, <- endpoint 1180",
    "FROM_PROXY, <- proxy",
    "FROM_HOST, <- host",
    "FROM_STACK, <- stack",
    "FROM_OVERLAY, <- overlay",
    "FROM_NETWORK, <- network",
    "TO_NETWORK, -> network"
  })
  void tellsEachTracePoint(TracePoint point, String arrow) {
    assertThat(lines("cilium monitor", trace(point, TraceReason.NEW, 212)))
        .isEqualTo(
            arrow
                + " flow 0x3000e251 , identity 27021->15773 state new ifindex lxc48c4aa0637ce"
                + " orig-ip 10.42.1.80: 10.42.1.80:41212 -> 10.42.0.51:80 tcp SYN\n");
  }

  @Test
  void tellsADropWithItsDoubleComma() {
    assertThat(lines("cilium monitor", DROP))
        .isEqualTo(
            "xx drop (Policy denied) flow 0x0 to endpoint 0, file bpf_lxc.c line 1181, , identity"
                + " 27021->15773: 10.42.1.80:41212 -> 10.42.0.51:80 tcp SYN\n");
  }

  @Test
  void tellsAPolicyVerdict() {
    byte[] deny = verdict(31028, -133, PolicyVerdictNotify.INGRESS, PolicyVerdictNotify.MATCH_NONE);
    byte[] allow = verdict(1, 0, PolicyVerdictNotify.EGRESS, PolicyVerdictNotify.MATCH_L3_ONLY);
    assertThat(lines("cilium monitor", deny, allow))
        .isEqualTo(
            "Policy verdict log: flow 0x63113709 local EP ID 232, remote ID 31028, proto 6,"
                + " ingress, action deny, match none, 10.42.1.80:41212 -> 10.42.0.51:80 tcp SYN\n"
                + "Policy verdict log: flow 0x63113709 local EP ID 232, remote ID host, proto 6,"
                + " egress, action allow, match L3-Only, 10.42.1.80:41212 -> 10.42.0.51:80 tcp"
                + " SYN\n");
    assertThat(lines("cilium monitor -n", allow)).contains("remote ID 1, ");
  }

  @Test
  void tellsDebugMessagesOnlyWhenVerbose() {
    byte[] message =
        ByteBuffer.allocate(20)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) MonitorEvent.TYPE_DEBUG)
            .put((byte) 2)
            .putShort((short) 1180)
            .putInt(0xab)
            .putInt(212)
            .putInt(27021)
            .putInt(0)
            .array();
    assertThat(lines("cilium monitor", message)).isEmpty();
    assertThat(lines("cilium monitor -v", message))
        .isEqualTo(
            "CPU 01: MARK 0xab FROM 1180 DEBUG: Attempting local delivery for container id 212"
                + " from seclabel 27021\n");
  }

  @Test
  void tellsCapturedPackets() {
    byte[] capture =
        ByteBuffer.allocate(24 + Frames.SYN.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) MonitorEvent.TYPE_CAPTURE)
            .put((byte) 4)
            .putShort((short) 1180)
            .putInt(0)
            .putInt(74)
            .putInt(74)
            .putInt(43)
            .putInt(0)
            .put(Frames.SYN)
            .array();
    assertThat(lines("cilium monitor -t capture", capture))
        .isEqualTo("-> lxc48c4aa0637ce: 10.42.1.80:41212 -> 10.42.0.51:80 tcp SYN\n");
  }

  @Test
  void tellsAllOfAPacketWhenVerbose() {
    assertThat(lines("cilium monitor -v", trace(TracePoint.TO_OVERLAY, TraceReason.ESTABLISHED, 0)))
        .isEqualTo(
            "-".repeat(78)
                + "\nCPU 01: MARK 0x3000e251 FROM 1180 to-overlay: 74 bytes (74 captured), state"
                + " established, interface lxc48c4aa0637ce, identity 27021->15773, orig-ip"
                + " 10.42.1.80\n"
                + "Ethernet\t{Contents=[..14..] Payload=[..60..] SrcMAC=f6:00:50:f9:92:a1"
                + " DstMAC=ae:36:76:3e:c3:03 EthernetType=IPv4 Length=0}\n"
                + "IPv4\t{Contents=[..20..] Payload=[..40..] Version=4 IHL=5 TOS=0 Length=60 Id=1"
                + " Flags=DF FragOffset=0 TTL=64 Protocol=TCP Checksum=9445 SrcIP=10.42.1.80"
                + " DstIP=10.42.0.51 Options=[] Padding=[]}\n"
                + "TCP\t{Contents=[..40..] Payload=[] SrcPort=41212 DstPort=80(http) Seq=1000"
                + " Ack=0 DataOffset=10 FIN=false SYN=true RST=false PSH=false ACK=false"
                + " URG=false ECE=false CWR=false NS=false Window=64240 Checksum=36430 Urgent=0"
                + " Options=[..5..] Padding=[]}\n");
    assertThat(lines("cilium monitor -vv", DROP))
        .contains(
            "CPU 01: MARK 0x0 FROM 1180 DROP: 74 bytes, reason Policy denied, identity"
                + " 27021->15773\n");
    assertThat(lines("cilium monitor -v --hex", DROP))
        .contains(
            "\n00000000  ae 36 76 3e c3 03 f6 00  50 f9 92 a1 08 00 45 00"
                + "  |.6v>....P.....E.|\n");
  }

  @Test
  void printsJsonWithTheRealKeys() {
    assertThat(lines("cilium monitor -j", trace(TracePoint.TO_LXC, TraceReason.REPLY, 212)))
        .startsWith(
            "{\"cpu\":\"CPU 01:\",\"type\":\"trace\",\"mark\":\"0x3000e251\","
                + "\"ifindex\":\"lxc48c4aa0637ce\",\"state\":\"reply\","
                + "\"observationPoint\":\"to-endpoint\",\"traceSummary\":\"-> endpoint 212\","
                + "\"source\":1180,\"bytes\":74,\"srcLabel\":27021,\"dstLabel\":15773,"
                + "\"dstID\":212,\"summary\":{\"ethernet\":")
        .endsWith(
            "\"l3\":{\"src\":\"10.42.1.80\",\"dst\":\"10.42.0.51\"},"
                + "\"l4\":{\"src\":\"41212\",\"dst\":\"80\"}}}\n");
    assertThat(lines("cilium monitor -j", DROP)).contains("\"Line\":1181,\"File\":8");
  }

  @Test
  void filtersByTypeAndEndpoint() {
    byte[] toEndpoint = trace(TracePoint.TO_LXC, TraceReason.NEW, 212);
    assertThat(lines("cilium monitor --type drop", toEndpoint, DROP)).startsWith("xx drop");
    assertThat(lines("cilium monitor --from 1181", toEndpoint)).isEmpty();
    assertThat(lines("cilium monitor --from 1180", toEndpoint)).isNotEmpty();
    assertThat(lines("cilium monitor --to 212", toEndpoint, DROP)).startsWith("-> endpoint");
    assertThat(lines("cilium monitor --related-to 212,9", toEndpoint)).isNotEmpty();
    assertThat(lines("cilium monitor --related-to=9", toEndpoint)).isEmpty();
  }

  @Test
  void losesEventsRatherThanKeepThemWhenItsReaderIsSlowAndTellsHowMany() {
    ToolRun run =
        ToolRun.start(
            HostTools.create(node, IdentityLabels.RESERVED, AgentSocket.CLOSED),
            WalkNode.host(),
            1,
            List.of("cilium", "monitor"));
    node.emit(0, DROP);
    run.settle();
    int before = run.out().length();
    int ring = 64 * 4096;
    int record = (8 + 8 + 4 + DROP.length + 7) / 8 * 8;
    for (int i = 0; i < ring / record + 17; i++) {
      node.emit(0, DROP);
    }
    assertThat(run.settle().out()).hasSize(before);
    run.drain(Integer.MAX_VALUE).settle();
    assertThat(run.out()).doesNotContain("Lost");
    node.emit(0, DROP);
    assertThat(run.settle().out().substring(before)).contains("CPU 00: Lost 17 events\nxx drop");
  }

  @Test
  void tellsADamagedRecordAsOne() {
    assertThat(lines("cilium monitor", new byte[] {4, 0, 0}))
        .startsWith("Error while parsing notification message of type 4: ");
    assertThat(lines("cilium monitor", new byte[] {99, 1}))
        .isEqualTo("CPU 01: Unknown event: [99, 1]\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cilium monitor now | Error: arguments not recognized",
        "cilium monitor --nope | Error: unknown flag: --nope",
        "cilium monitor -t nope | unknown type (nope)",
        "cilium monitor --from x | an endpoint id is a number from 0 to 65535"
      })
  void refusesWhatItDoesNotUnderstand(String command, String message) {
    ToolRun run = node.run(command);
    assertThat(run.err()).contains(message);
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(node.listeners()).isZero();
  }

  private final List<List<String>> asked = new ArrayList<>();
  private final List<CompletableFuture<AgentCall.Reply>> replies = new ArrayList<>();

  private ToolRun asking(String... argv) {
    return ToolRun.start(
        HostTools.create(
            node,
            IdentityLabels.RESERVED,
            words -> {
              asked.add(words);
              replies.add(new CompletableFuture<>());
              return replies.getLast();
            }),
        WalkNode.host(),
        Integer.MAX_VALUE,
        List.of(argv));
  }

  private static AgentCall.Reply reply(String line) {
    return new AgentCall.Reply(line, "", line.isEmpty() ? 1 : 0);
  }

  @Test
  void aVerboseMonitorNamesTheRulesThatDecided() {
    ToolRun run = asking("cilium", "monitor", "-v");
    node.emit(1, DROP);
    node.emit(1, trace(TracePoint.TO_LXC, TraceReason.NEW, 1181));
    run.settle();
    assertThat(asked)
        .containsExactly(
            List.of("paramecium-policy", "decide", "1180", "egress", "15773", "80", "6"));
    assertThat(run.out()).contains("DROP: ").doesNotContain("to-endpoint");
    replies.getFirst().complete(reply("deny egress by default deny of x\n"));
    run.settle();
    assertThat(run.out())
        .containsSubsequence(
            "reason Policy denied", "POLICY: deny egress by default deny of x\n", "to-endpoint");
  }

  @Test
  void whatWasAskedAMomentAgoIsNotAskedAgain() {
    ToolRun run = asking("cilium", "monitor", "-v", "-t", "policy-verdict");
    byte[] allowed = verdict(15773, 0, PolicyVerdictNotify.INGRESS, 1);
    node.emit(1, allowed);
    node.emit(1, DROP); // not shown, not asked about
    node.emit(1, allowed);
    run.settle();
    replies.getFirst().complete(reply("allow ingress by y\n"));
    run.settle();
    assertThat(asked)
        .containsExactly(
            List.of("paramecium-policy", "decide", "232", "ingress", "15773", "80", "6"));
    assertThat(run.out().split("POLICY: allow ingress by y\n", -1)).hasSize(3);
    run.elapse(1001);
    node.emit(1, allowed);
    run.settle();
    assertThat(asked).hasSize(2);
    replies.getLast().complete(reply("")); // the endpoint is gone meanwhile
    node.emit(1, allowed);
    run.settle();
    assertThat(run.out().split("Policy verdict log", -1)).hasSize(5);
    assertThat(run.out().split("POLICY: ", -1)).hasSize(3);
  }

  @Test
  void nobodyIsAskedWhereOneLineIsEnough() {
    for (String flag : List.of("-n", "-j")) {
      ToolRun run = asking("cilium", "monitor", flag);
      node.emit(1, DROP);
      run.settle().signal(2);
    }
    assertThat(asked).isEmpty();
  }
}
