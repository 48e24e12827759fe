package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.PolicyMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What goes wrong in a program or with a namespace, and what must hold all the same. */
final class FaultsTest {

  private static void assertEverythingIsGivenBack(TestNode node) {
    await()
        .untilAsserted(
            () ->
                assertThat(node.counters())
                    .containsEntry("buffers_in_use", 0L)
                    .containsEntry("queue_waiting_devices", 0L)
                    .containsEntry("queue_waiting_netns", 0L));
  }

  @Test
  void programThatFailsCostsItsBatchAndNothingElse() {
    AtomicInteger failures = new AtomicInteger(1);
    try (TwoNodes nodes =
        new TwoNodes(
            config ->
                config.nodeName().equals("ubuntu-dev2")
                    ? config.withObjects(new FailingFromContainer(failures))
                    : config)) {
      TestNode.Outcome ping =
          nodes.one.exec(
              nodes.curl.containerId(), "ping", "-c", "3", "-i", "0.2", "-W", "1", "10.42.0.51");
      assertThat(ping.stdout()).contains("3 packets transmitted, 2 received");
      assertThat(nodes.one.counters())
          .containsEntry("drop_program_crash", 1L)
          .containsEntry("buffers_in_use", 0L);
      assertThat(nodes.one.exec("", "bpftool", "net", "show", "dev", "lxccurl").stdout())
          .contains("bpf_lxc.o:[from-container]");
    }
  }

  @Test
  void programsAreReplacedWithoutLosingAConnectionOrAMap() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      nodes.one.exec(nodes.curl.containerId(), "ping", "-c", "1", "10.42.0.51");
      int before = nodes.one.reload(nodes.curl);
      int after = nodes.one.reload(nodes.curl);
      assertThat(after).isGreaterThan(before);
      assertThat(
              nodes.one.exec(nodes.curl.containerId(), "ping", "-c", "1", "10.42.0.51").exitCode())
          .isZero();
      assertThat(nodes.one.exec("", "bpftool", "net", "show", "dev", "lxccurl").stdout())
          .contains("id " + after)
          .doesNotContain("id " + before);
    }
  }

  @Test
  void deletedNamespaceLeavesNothingBehind() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      long programs = nodes.one.counters().get("programs");
      TestNode.Pod pod = nodes.one.startPod("short", 77, 4711, "10.42.1.81", "curlimages/curl");
      assertThat(nodes.one.exec(pod.containerId(), "ping", "-c", "1", "10.42.0.247").exitCode())
          .isZero();
      nodes.one.stopPod(pod);
      assertThat(nodes.one.counters())
          .containsEntry("programs", programs)
          .containsEntry("netns", 1L)
          .doesNotContainKey("rx_packets_lxcshort");
      assertEverythingIsGivenBack(nodes.one);
      TestNode.Pod again = nodes.one.startPod("short", 77, 4711, "10.42.1.81", "curlimages/curl");
      assertThat(nodes.one.exec(again.containerId(), "ping", "-c", "1", "10.42.1.80").exitCode())
          .isZero();
    }
  }

  /** The real objects, but from-container throws on the first IPv4 packets. */
  private static final class FailingFromContainer extends RealObjects {

    private final AtomicInteger failures;

    FailingFromContainer(AtomicInteger failures) {
      this.failures = failures;
    }

    @Override
    public List<ProgramSection> lxc(
        ProgramContext context,
        EndpointProgramConfig endpoint,
        PolicyMap policy,
        ProgramArray calls) {
      return super.lxc(context, endpoint, policy, calls).stream()
          .map(section -> section.section().equals("from-container") ? failing(section) : section)
          .toList();
    }

    private ProgramSection failing(ProgramSection section) {
      return ProgramSection.attached(
          section.object(),
          section.section(),
          section.function(),
          packet -> {
            if (packet.u16(12) == 0x0800 && failures.getAndDecrement() > 0) {
              throw new IllegalStateException("a program's bug");
            }
            return section.program().run(packet);
          });
    }
  }
}
