package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.datapath.underlay.NodeResolver;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.syscall.TraceFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two pods of one node whose established connections bypass the node's devices. */
final class SockopsTest {

  private static final Ipv4Address VIP = Ipv4Address.parse("10.96.0.10");
  private static final Ipv4Address SENDER = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address RECEIVER = Ipv4Address.parse("10.42.1.51");
  private static final String REDIRECTED = "SkMsgRedirectedBytes";
  private static final ActorTestKit KIT = ActorTestKit.create();

  private static TestNode node;
  private static TestNode.Pod sender;
  private static TestNode.Pod receiver;

  @BeforeAll
  static void start() {
    Ipv4Address ip = Ipv4Address.parse("127.0.35.13");
    node =
        new TestNode(
            KIT,
            KernelConfig.of("ubuntu-dev2", ip, 1)
                .withResolver(NodeResolver.identity(TwoNodes.freePort())),
            "10.42.1.0/24");
    node.load(
        DatapathOptions.defaults(node.podCidr)
            .withSockets(new DatapathOptions.Sockets(true, false, true, true)));
    sender = node.startPod("curl", 1180, 31028, SENDER.toString(), "curlimages/curl");
    receiver = node.startPod("bin", 2826, 15773, RECEIVER.toString(), "kennethreitz/httpbin");
    Lb4Key key = new Lb4Key(VIP, 8000);
    node.update(MapNames.LB4_SERVICES, key.encode(), new Lb4Service(0, 1, 3, 0, 0).encode());
    node.update(
        MapNames.LB4_SERVICES,
        key.withBackendSlot(1).encode(),
        new Lb4Service(7, 0, 3, 0, 0).encode());
    node.update(
        MapNames.LB4_BACKENDS,
        Lb4Backend.encodeKey(7),
        new Lb4Backend(RECEIVER, 80, 0, Lb4Backend.ACTIVE).encode());
  }

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  /** Listens, sends {@code lines} lines to it and answers their digests on both sides. */
  private static List<String> transfer(int port, int lines) {
    long listening = node.counters().getOrDefault("SockTcpListen", 0L);
    CompletableFuture<TestNode.Outcome> received =
        CompletableFuture.supplyAsync(
            () ->
                node.exec(receiver.containerId(), "sh", "-c", "nc -l -p " + port + " | sha256sum"),
            Thread::startVirtualThread);
    await().until(() -> node.counters().getOrDefault("SockTcpListen", 0L) > listening);
    String lot = "seq 1000000000 " + (1_000_000_000L + lines - 1);
    TestNode.Outcome sent =
        node.exec(sender.containerId(), "sh", "-c", lot + " | nc -w 5 " + RECEIVER + " " + port);
    assertThat(sent.stderr()).isEmpty();
    String expected = node.exec(sender.containerId(), "sh", "-c", lot + " | sha256sum").stdout();
    return List.of(received.join().stdout(), expected);
  }

  @Test
  void aTransferArrivesIntactAndHardlyAnyOfItIsPackets() {
    Map<String, Long> before = node.counters();
    List<String> digests = transfer(5000, 2_000_000);
    assertThat(digests.getFirst()).isEqualTo(digests.getLast());
    Map<String, Long> after = node.counters();
    long bytes = 11L * 2_000_000;
    assertThat(after.get(REDIRECTED) - before.getOrDefault(REDIRECTED, 0L))
        .isGreaterThan(bytes * 9 / 10);
    assertThat(after.get("rx_packets_lxccurl") - before.get("rx_packets_lxccurl"))
        .isLessThan(bytes / 10 / 1000);
  }

  @Test
  void bpftoolShowsTheProgramsAndTheSocketsInTheMap() {
    assertThat(node.exec("", "bpftool", "cgroup", "tree").stdout())
        .contains("sock_ops                        bpf_sockmap");
    assertThat(node.exec("", "bpftool", "prog", "show").stdout())
        .contains(": sock_ops  name bpf_sockmap  tag ")
        .contains(": sk_msg  name bpf_redir_proxy  tag ");
    assertThat(node.exec("", "bpftool", "map", "show", "name", "cilium_sock_ops").stdout())
        .contains("sockhash  name cilium_sock_ops  flags 0x0\n\tkey 44B  value 4B")
        .contains("max_entries 65535");
    CompletableFuture<TestNode.Outcome> open =
        CompletableFuture.supplyAsync(
            () ->
                node.exec(
                    sender.containerId(), "sh", "-c", "sleep 1 | nc -w 5 " + RECEIVER + " 80"),
            Thread::startVirtualThread);
    List<String> dumps = new ArrayList<>();
    await()
        .until(
            () -> {
              dumps.add(
                  node.exec("", "bpftool", "map", "dump", "name", "cilium_sock_ops").stdout());
              return dumps.getLast().contains("Found 2 elements");
            });
    assertThat(dumps.getLast())
        .containsPattern(
            "key:\n0a 2a 01 50 00 00 00 00  00 00 00 00 00 00 00 00\n"
                + "0a 2a 01 33 00 00 00 00  00 00 00 00 00 00 00 00\n"
                + "01 00 00 00 [0-9a-f ]{5} 00 00  00 50 00 00\n"
                + "value:\nNo space left on device\n")
        .containsPattern(
            "key:\n0a 2a 01 33 00 00 00 00  00 00 00 00 00 00 00 00\n"
                + "0a 2a 01 50 00 00 00 00  00 00 00 00 00 00 00 00\n"
                + "01 00 00 00 00 50 00 00  [0-9a-f ]{5} 00 00\n"
                + "value:\nNo space left on device\n");
    open.join();
    await()
        .untilAsserted(
            () ->
                assertThat(
                        node.exec("", "bpftool", "map", "dump", "name", "cilium_sock_ops").stdout())
                    .endsWith("Found 0 elements\n"));
  }

  @Test
  void aTraceShowsWhereTheConnectionLeavesTheDevices() {
    TestProbe<Observation> observer = KIT.createTestProbe();
    node.perform(
        replyTo ->
            new Syscall.ArmTrace(
                "t",
                new TraceFilter(SENDER, VIP, IpProtocol.TCP, 0, 8000),
                observer.getRef(),
                replyTo));
    TestNode.Outcome answer =
        node.exec(
            sender.containerId(), "curl", "-s", "-o", "/dev/null", "http://10.96.0.10:8000/get");
    assertThat(answer.exitCode()).isZero();
    node.perform(replyTo -> new Syscall.DisarmTrace("t", replyTo));
    List<Observation> seen = new ArrayList<>();
    observer.fishForMessage(
        TestNode.TIMEOUT,
        observation -> {
          seen.add(observation);
          boolean last =
              observation.hook().equals("sk_msg")
                  && observation.verdict().contains("receive queue of " + SENDER);
          return last ? FishingOutcomes.complete() : FishingOutcomes.continueAndIgnore();
        });
    assertThat(seen)
        .anySatisfy(
            step -> {
              assertThat(step.hook()).isEqualTo("cgroup connect4");
              assertThat(step.program()).isEqualTo("bpf_sock.o:[cgroup/connect4]");
              assertThat(step.verdict()).isEqualTo("SYS_PROCEED, 10.96.0.10:8000 is 10.42.1.51:80");
              assertThat(step.rule()).isEqualTo("service: backend 7 10.42.1.51:80");
            })
        .anySatisfy(
            step -> {
              assertThat(step.hook()).isEqualTo("tc ingress");
              assertThat(step.packet().destination()).isEqualTo(RECEIVER.toString());
              assertThat(step.packet().flags()).isEqualTo("SYN");
            })
        .anySatisfy(
            step -> {
              assertThat(step.hook()).isEqualTo("cgroup sock_ops");
              assertThat(step.verdict()).isEqualTo("in the sock map");
            });
    // The answer never was a packet.
    assertThat(seen)
        .filteredOn(step -> step.reply() && step.hook().startsWith("tc "))
        .allSatisfy(step -> assertThat(step.packet().payloadLength()).isZero());
  }
}
