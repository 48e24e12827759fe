package dev.paramecium.container.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.SocketException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ProcessTableTest {

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host host = network.host("box", 1, "busybox");

  private ProcessTable table(int firstPid, Map<String, Executable> path) {
    return new ProcessTable(
        "box",
        path,
        Map.of(),
        new FileSystem(),
        new NamespaceServices(
            host.stack,
            host.stack,
            network.clock,
            RandomSource.seeded(1),
            Runnable::run,
            new CpuTime()),
        new PidNamespace(firstPid));
  }

  /** Listens on port 80 until a signal, and never closes what it opened. */
  private static Process listener(ProcessContext context) {
    try {
      context.sockets().listen(Ipv4Address.ANY, 80, 1, _ -> null);
      context.sockets().bindUdp(Ipv4Address.ANY, 53, (_, _, _) -> {});
      context.sockets().schedule(3_600_000, () -> context.exit(1));
    } catch (SocketException e) {
      context.exit(9);
    }
    return number -> context.exit(Signals.exitCode(number));
  }

  private RunningProcess start(ProcessTable table, String name, AtomicInteger exit) {
    RunningProcess process = table.start(List.of(name), false, false, (_, _) -> true, exit::set);
    assertThat(process).isNotNull();
    return process;
  }

  @Test
  void whatAProcessLeavesOpenIsClosedWhenItExits() {
    ProcessTable table = table(100, Map.of("listener", ProcessTableTest::listener));
    AtomicInteger exit = new AtomicInteger(-1);
    start(table, "listener", exit).signal(Signals.SIGKILL);
    RunningProcess second = start(table, "listener", exit);

    assertThat(exit).hasValue(137);
    assertThat(second.isRunning()).as("the ports are free again").isTrue();
    second.signal(Signals.SIGTERM);
    assertThat(network.step()).as("no timer is left").isFalse();
  }

  @Test
  void aProgramThatThrowsEndsLikeASegmentationFaultAndHurtsNoOther() {
    Executable crashing =
        context -> {
          context
              .sockets()
              .schedule(
                  10,
                  () -> {
                    throw new IllegalStateException("a bug in a program");
                  });
          return _ -> {};
        };
    ProcessTable table =
        table(100, Map.of("crash", crashing, "listener", ProcessTableTest::listener));
    AtomicInteger crashed = new AtomicInteger(-1);
    AtomicInteger other = new AtomicInteger(-1);
    start(table, "crash", crashed);
    RunningProcess healthy = start(table, "listener", other);

    network.pass(20);

    assertThat(crashed).hasValue(139);
    assertThat(healthy.isRunning()).isTrue();
  }

  @Test
  void theEndOfProcessOneIsTheEndOfAll() {
    Executable deaf = _ -> _ -> {};
    ProcessTable table = table(1, Map.of("init", ProcessTableTest::listener, "deaf", deaf));
    AtomicInteger first = new AtomicInteger(-1);
    AtomicInteger second = new AtomicInteger(-1);
    RunningProcess init = start(table, "init", first);
    start(table, "deaf", second);

    init.signal(Signals.SIGTERM);

    assertThat(first).hasValue(143);
    assertThat(second).hasValue(137);
    assertThat(table.size()).isZero();
  }

  @Test
  void theRuntimesWordsForWhatIsNotThere() {
    assertThat(ProcessTable.notFound(List.of("foo")))
        .isEqualTo(
            "unable to start container process: exec: \"foo\": executable file not found in $PATH:"
                + " unknown");
    assertThat(table(1, Map.of()).start(List.of(), false, false, (_, _) -> true, _ -> {})).isNull();
  }
}
