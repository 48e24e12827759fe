package dev.paramecium.container;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Backlog;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Result;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class NetworkNamespaceTest {

  private static ActorTestKit kit;

  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4096);
  private final TestProbe<Result<Done>> results = kit.createTestProbe();
  private final TestProbe<ContainerEvent> events = kit.createTestProbe();
  private final ActorRef<NetworkNamespace.Command> pod = namespace("pod");

  @BeforeAll
  static void startSystem() {
    kit = ActorTestKit.create();
  }

  @AfterAll
  static void stopSystem() {
    kit.shutdownTestKit();
  }

  @AfterEach
  void stopPod() {
    kit.stop(pod, Duration.ofSeconds(5));
  }

  private ActorRef<NetworkNamespace.Command> namespace(String name) {
    return kit.spawn(
        NetworkNamespace.create(
            new NamespaceConfig(
                name,
                name,
                Clock.system(),
                RandomSource.seeded(1),
                pool,
                Map.of(),
                Map.of(),
                _ -> SocketHooks.none())));
  }

  private static ContainerSpec spec(String image, List<String> command) {
    return new ContainerSpec(
        "c1",
        "pod",
        "default/pod",
        "c",
        image,
        command,
        List.of(),
        Map.of("COLOUR", "blue"),
        List.of(new ContainerSpec.Port("http", 8080, "TCP")));
  }

  private Result<Done> start(String image, String... command) {
    pod.tell(
        new NetworkNamespace.StartContainer(
            spec(image, List.of(command)), events.ref(), results.ref()));
    return results.receiveMessage();
  }

  private TestProbe<ExecOutput> exec(boolean stdin, boolean tty, String... argv) {
    TestProbe<ExecOutput> client = kit.createTestProbe();
    pod.tell(
        new NetworkNamespace.Exec(new ExecRequest("c1", List.of(argv), stdin, tty), client.ref()));
    return client;
  }

  /** Reads output, acknowledging each message, until the end. */
  private static String readAll(TestProbe<ExecOutput> client, int exitCode) {
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    while (true) {
      switch (client.receiveMessage(Duration.ofSeconds(10))) {
        case ExecOutput.Data(int _, byte[] bytes) -> {
          text.writeBytes(bytes);
          input.tell(new ExecInput.Ack(1));
        }
        case ExecOutput.Exited(int code) -> {
          assertThat(code).isEqualTo(exitCode);
          return text.toString(StandardCharsets.UTF_8);
        }
        case ExecOutput.Started _, ExecOutput.Refused _, ExecOutput.Ack _ ->
            throw new AssertionError("out of order");
      }
    }
  }

  @Test
  void runsACommandInAContainer() {
    start("curlimages/curl", "sleep", "365d");

    assertThat(events.receiveMessage()).isEqualTo(new ContainerEvent.Started("c1", ""));
    assertThat(readAll(exec(false, false, "sh", "-c", "echo $HOSTNAME $COLOUR; exit 3"), 3))
        .isEqualTo("pod blue\n");
  }

  /** Starts a container of pod {@code uid}, which mounts volume {@code data} at {@code /data}. */
  private void start(
      String id, String uid, ContainerSpec.Stdin stdin, boolean podPids, String... command) {
    ContainerSpec spec =
        new ContainerSpec(
            id,
            "pod",
            "default/pod",
            uid,
            "c",
            0,
            "busybox",
            List.of(command),
            List.of(),
            Map.of(),
            List.of(),
            Map.of(),
            List.of(new ContainerSpec.Mount("/data", "data", "")),
            stdin,
            false,
            "",
            podPids);
    pod.tell(new NetworkNamespace.StartContainer(spec, events.ref(), results.ref()));
    assertThat(results.receiveMessage()).isEqualTo(Result.ok(Done.getInstance()));
  }

  private void startWithVolume(String id, String uid) {
    start(id, uid, ContainerSpec.Stdin.CLOSED, false, "sleep", "1h");
  }

  private void awaitExit(String id) {
    events.fishForMessage(
        Duration.ofSeconds(5),
        event ->
            event instanceof ContainerEvent.Exited exited && exited.containerId().equals(id)
                ? FishingOutcomes.complete()
                : FishingOutcomes.continueAndIgnore());
  }

  private void end(String id) {
    pod.tell(new NetworkNamespace.StopContainer(id, 0, results.ref()));
    results.receiveMessage();
    awaitExit(id);
    pod.tell(new NetworkNamespace.RemoveContainer(id, results.ref()));
    assertThat(results.receiveMessage()).isEqualTo(Result.ok(Done.getInstance()));
  }

  private String in(String id, String command) {
    TestProbe<ExecOutput> client = kit.createTestProbe();
    pod.tell(
        new NetworkNamespace.Exec(
            new ExecRequest(id, List.of("sh", "-c", command), false, false), client.ref()));
    return readAll(client, 0);
  }

  private ActorRef<ExecInput> attach(String id, TestProbe<ExecOutput> client) {
    pod.tell(new NetworkNamespace.Attach(id, client.ref()));
    return client.expectMessageClass(ExecOutput.Started.class).input();
  }

  @Test
  void stdinOnceEndsWithTheFirstClientsInput() {
    start("a", "uid-1", ContainerSpec.Stdin.ONCE, false, "cat");
    TestProbe<ExecOutput> client = kit.createTestProbe();
    ActorRef<ExecInput> input = attach("a", client);
    type(input, "once\n");
    input.tell(new ExecInput.CloseStdin());
    awaitExit("a");
  }

  @Test
  void stdinOnceEndsWhenTheFirstClientLeaves() {
    start("a", "uid-1", ContainerSpec.Stdin.ONCE, false, "cat");
    TestProbe<ExecOutput> client = kit.createTestProbe();
    attach("a", client);
    client.stop();
    awaitExit("a");
  }

  @Test
  void openStdinOutlivesItsClients() {
    start("a", "uid-1", ContainerSpec.Stdin.OPEN, false, "sh", "-c", "read x; read y; exit 7");
    TestProbe<ExecOutput> first = kit.createTestProbe();
    ActorRef<ExecInput> input = attach("a", first);
    type(input, "one\n");
    input.tell(new ExecInput.CloseStdin());
    TestProbe<ExecOutput> second = kit.createTestProbe();
    type(attach("a", second), "two\n");
    awaitExit("a");
  }

  @Test
  void containersThatShareThePidsOfTheirPodSeeAndEndEachOther() {
    start("a", "uid-1", ContainerSpec.Stdin.CLOSED, true, "sleep", "1000");
    start("b", "uid-1", ContainerSpec.Stdin.CLOSED, true, "sleep", "2000");
    start("c", "uid-2", ContainerSpec.Stdin.CLOSED, false, "sleep", "3000");
    assertThat(in("b", "ps"))
        .containsSubsequence("1 ", "/pause", "sleep 1000", "sleep 2000")
        .doesNotContain("sleep 3000");
    assertThat(in("c", "ps")).contains("sleep 3000").doesNotContain("sleep 1000");

    in("b", "kill 2");
    awaitExit("a");
    end("b");
    start("d", "uid-1", ContainerSpec.Stdin.CLOSED, true, "sleep", "4000");
    assertThat(in("d", "ps")).contains("/pause", "sleep 4000");
  }

  @Test
  void containersOfAPodShareAVolumeAsLongAsOneOfThemIsThere() {
    startWithVolume("a", "uid-1");
    startWithVolume("b", "uid-1");
    startWithVolume("c", "uid-2");
    in("a", "echo hello > /data/file");
    assertThat(in("b", "cat /data/file")).isEqualTo("hello\n");
    assertThat(in("c", "ls /data")).as("another pod's volume of the same name").isEmpty();

    end("a");
    startWithVolume("a2", "uid-1");
    assertThat(in("a2", "cat /data/file")).isEqualTo("hello\n");

    end("a2");
    end("b");
    startWithVolume("a3", "uid-1");
    assertThat(in("a3", "ls /data")).isEmpty();
  }

  @Test
  void refusesWhatIsNotInPathAsTheRuntimeDoes() {
    start("busybox", "sleep", "1h");

    ExecOutput refused = exec(false, false, "foo").receiveMessage();
    assertThat(refused)
        .isEqualTo(
            new ExecOutput.Refused(
                Errno.ENOENT,
                "OCI runtime exec failed: exec failed: unable to start container process: exec:"
                    + " \"foo\": executable file not found in $PATH: unknown"));
  }

  @Test
  void aContainerWhoseCommandDoesNotExistIsNotStarted() {
    Result<Done> result = start("busybox", "/no/such");

    assertThat(result)
        .isEqualTo(
            Result.failed(
                Errno.ENOENT,
                "failed to create containerd task: failed to create shim task: OCI runtime create"
                    + " failed: runc create failed: unable to start container process: exec:"
                    + " \"/no/such\": stat /no/such: no such file or directory: unknown"));
    events.expectNoMessage(Duration.ofMillis(50));
  }

  @Test
  void aSlowClientLosesNothingAndHoldsTheProcessBack() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(false, false, "head", "-c", "40M", "/dev/zero");
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();

    for (int i = 0; i < ExecOutput.WINDOW; i++) {
      client.expectMessageClass(ExecOutput.Data.class);
    }
    client.expectNoMessage(Duration.ofMillis(100));
    long bytes = 0;
    input.tell(new ExecInput.Ack(ExecOutput.WINDOW));
    ExecOutput message = client.receiveMessage();
    while (message instanceof ExecOutput.Data(int _, byte[] piece)) {
      bytes += piece.length;
      input.tell(new ExecInput.Ack(1));
      message = client.receiveMessage();
    }

    assertThat(message).isEqualTo(new ExecOutput.Exited(0));
    assertThat(bytes).isGreaterThan((40L << 20) - ExecOutput.WINDOW * 65536L);
  }

  @Test
  void aTerminalEchoesEditsAndInterrupts() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(true, true, "sh");
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();
    StringBuilder screen = new StringBuilder();
    awaitScreen(client, input, screen, "/ # ");

    type(input, "echo hux\u007fi\r");
    awaitScreen(client, input, screen, "hui\r\n/ # ");
    type(input, "sleep 1000\r");
    awaitScreen(client, input, screen, "sleep 1000\r\n");
    type(input, "\u0003");
    awaitScreen(client, input, screen, "^C\r\n/ # ");
    type(input, "exit 5\r");

    assertThat(screen.toString())
        .isEqualTo("/ # echo hux\b \bi\r\nhui\r\n/ # sleep 1000\r\n^C\r\n/ # ");
    assertThat(lastMessage(client, input)).isEqualTo(new ExecOutput.Exited(5));
  }

  private static void type(ActorRef<ExecInput> input, String keys) {
    input.tell(new ExecInput.Stdin(keys.getBytes(StandardCharsets.UTF_8)));
  }

  private static void awaitScreen(
      TestProbe<ExecOutput> client, ActorRef<ExecInput> input, StringBuilder screen, String end) {
    while (!screen.toString().endsWith(end)) {
      screen.append(nextOutput(client, input));
    }
  }

  /** The next output as text; credit for input is passed over. */
  private static String nextOutput(TestProbe<ExecOutput> client, ActorRef<ExecInput> input) {
    ExecOutput message = client.receiveMessage();
    while (message instanceof ExecOutput.Ack) {
      message = client.receiveMessage();
    }
    input.tell(new ExecInput.Ack(1));
    return new String(((ExecOutput.Data) message).bytes(), StandardCharsets.UTF_8);
  }

  @Test
  void whatIsTypedAheadOfAProgramThatDoesNotReadIsTheShells() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(true, true, "sh");
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();
    StringBuilder screen = new StringBuilder();
    awaitScreen(client, input, screen, "/ # ");

    type(input, "sleep 0.3\recho first\rcat\rfor cat\r\u0004echo last\rexit 3\r");

    awaitScreen(client, input, screen, "last\r\n/ # ");
    String answers = screen.substring(screen.indexOf("exit 3\r\n") + 8);
    assertThat(answers).isEqualTo("/ # first\r\n/ # for cat\r\n/ # last\r\n/ # ");
    assertThat(lastMessage(client, input)).isEqualTo(new ExecOutput.Exited(3));
  }

  private static ExecOutput lastMessage(TestProbe<ExecOutput> client, ActorRef<ExecInput> input) {
    ExecOutput last = client.receiveMessage();
    while (last instanceof ExecOutput.Data || last instanceof ExecOutput.Ack) {
      if (last instanceof ExecOutput.Data) {
        input.tell(new ExecInput.Ack(1));
      }
      last = client.receiveMessage();
    }
    return last;
  }

  @Test
  void ctrlCForgetsWhatWasTypedAheadAndEndsABuiltInThatReads() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(true, true, "sh");
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();
    StringBuilder screen = new StringBuilder();
    awaitScreen(client, input, screen, "/ # ");

    type(input, "sleep 1000\recho never\r\u0003");
    awaitScreen(client, input, screen, "^C\r\n/ # ");
    type(input, "read line\r");
    awaitScreen(client, input, screen, "read line\r\n");
    type(input, "\u0003");
    awaitScreen(client, input, screen, "^C\r\n/ # ");
    type(input, "exit\r");

    assertThat(lastMessage(client, input)).isEqualTo(new ExecOutput.Exited(130));
    assertThat(screen.toString()).doesNotContain("never\r\n/ # never");
  }

  @Test
  void theArrowKeysBringBackEarlierLines() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(true, true, "sh");
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();
    StringBuilder screen = new StringBuilder();
    awaitScreen(client, input, screen, "/ # ");
    type(input, "echo first\r");
    awaitScreen(client, input, screen, "first\r\n/ # ");
    type(input, "echo second\r");
    awaitScreen(client, input, screen, "second\r\n/ # ");

    type(input, "typed\u001b[A\u001b[A\r");
    awaitScreen(client, input, screen, "echo first\r\nfirst\r\n/ # ");
    type(input, "\u001b[A\u001b[B\u001b[Dexit 4\r");

    assertThat(lastMessage(client, input)).isEqualTo(new ExecOutput.Exited(4));
  }

  @Test
  void aProcessThatDoesNotReadHoldsItsClientBackAndThenGetsEverything() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(true, false, "sh", "-c", "sleep 0.5; wc -c");
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();
    int messages = 3 * ExecInput.WINDOW;
    int sent = 0;
    int credit = ExecInput.WINDOW;
    boolean waited = false;

    ExecOutput answer = new ExecOutput.Ack(0);
    while (answer instanceof ExecOutput.Ack(int read)) {
      credit += read;
      while (credit > 0 && sent < messages) {
        input.tell(new ExecInput.Stdin(new byte[ExecInput.MAX_BYTES]));
        credit--;
        sent++;
      }
      waited |= sent < messages;
      if (sent == messages) {
        input.tell(new ExecInput.CloseStdin());
      }
      answer = client.receiveMessage();
    }

    assertThat(waited).as("the client had to wait").isTrue();
    assertThat(answer).isInstanceOf(ExecOutput.Data.class);
    assertThat(((ExecOutput.Data) answer).bytes())
        .asString()
        .isEqualTo(messages * ExecInput.MAX_BYTES + "\n");
  }

  @Test
  void aClientThatIgnoresItsCreditIsCutOff() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(true, false, "sleep", "1000");
    ActorRef<ExecInput> input = client.expectMessageClass(ExecOutput.Started.class).input();

    for (int i = 0; i < 2 * ExecInput.WINDOW; i++) {
      input.tell(new ExecInput.Stdin(new byte[ExecInput.MAX_BYTES]));
    }

    assertThat(nextOutput(client, input)).contains("without waiting until they were read");
    assertThat(lastMessage(client, input)).isEqualTo(new ExecOutput.Exited(137));
  }

  @Test
  void stdinReachesTheProcess() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(true, false, "cat");
    ExecOutput.Started started = client.expectMessageClass(ExecOutput.Started.class);
    type(started.input(), "over");
    started.input().tell(new ExecInput.CloseStdin());

    assertThat(nextOutput(client, started.input())).isEqualTo("over");
    assertThat(lastMessage(client, started.input())).isEqualTo(new ExecOutput.Exited(0));
  }

  @Test
  void aClientThatGoesTakesItsProcessAlong() {
    start("busybox", "sleep", "1h");
    TestProbe<ExecOutput> client = exec(false, false, "sleep", "1000");
    client.expectMessageClass(ExecOutput.Started.class);
    client.stop();

    TestProbe<Map<String, Long>> counters = kit.createTestProbe();
    counters.awaitAssert(
        () -> {
          pod.tell(new NetworkNamespace.ReadCounters(counters.ref()));
          assertThat(counters.receiveMessage())
              .containsEntry("processes", 1L)
              .containsEntry("sessions", 0L);
          return null;
        });
  }

  @Test
  void theEndOfTheFirstForwardedConnectionLeavesTheOthersOpen() {
    start("nginx");
    TestProbe<ExecOutput> first = forward();
    TestProbe<ExecOutput> second = forward();
    ActorRef<ExecInput> firstInput = first.expectMessageClass(ExecOutput.Started.class).input();
    ActorRef<ExecInput> secondInput = second.expectMessageClass(ExecOutput.Started.class).input();

    firstInput.tell(new ExecInput.Signal(9));

    assertThat(first.receiveMessage()).isEqualTo(new ExecOutput.Exited(137));
    secondInput.tell(new ExecInput.Signal(15));
    assertThat(second.receiveMessage()).isEqualTo(new ExecOutput.Exited(143));
  }

  private TestProbe<ExecOutput> forward() {
    TestProbe<ExecOutput> client = kit.createTestProbe();
    pod.tell(new NetworkNamespace.ForwardPort(80, client.ref()));
    return client;
  }

  @Test
  void logsAreReadWithTailAndTimestampsAndFollowed() {
    start(
        "busybox", "sh", "-c", "echo one; echo two >&2; printf three; sleep 0.3; echo; echo four");
    TestProbe<ExecOutput> tail = kit.createTestProbe();
    TestProbe<ExecOutput> follower = kit.createTestProbe();
    pod.tell(new NetworkNamespace.ReadLog(new LogRequest("c1", false, 1, 0, true), tail.ref()));
    pod.tell(
        new NetworkNamespace.ReadLog(new LogRequest("c1", true, -1, 0, false), follower.ref()));

    assertThat(readAll(tail, 0))
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z two\n");
    assertThat(readAll(follower, 0)).isEqualTo("one\ntwo\nthree\nfour\n");
    events.expectMessage(new ContainerEvent.Started("c1", ""));
    events.expectMessage(new ContainerEvent.Exited("c1", 0, "Completed"));
  }

  @Test
  void anUnknownImageSaysSoInItsLog() {
    start("example.org/shop:v2");

    String note = "image example.org/shop:v2 is not known here: a stand-in answers on 8080/TCP";
    assertThat(events.receiveMessage()).isEqualTo(new ContainerEvent.Started("c1", note));
    TestProbe<ExecOutput> log = kit.createTestProbe();
    pod.tell(new NetworkNamespace.ReadLog(new LogRequest("c1", false, -1, 0, false), log.ref()));
    assertThat(readAll(log, 0)).isEqualTo(note + "\nserving port 8080/TCP\n");
    assertThat(readAll(exec(false, false, "curl", "-s", "http://127.0.0.1:8080/"), 0))
        .isEqualTo("default/pod\n");
  }

  @Test
  void stoppingSendsSigtermThenSigkillAndTellsTheExit() {
    start("busybox", "sh", "-c", "echo up; sleep 1000");
    events.expectMessageClass(ContainerEvent.Started.class);

    pod.tell(new NetworkNamespace.RemoveContainer("c1", results.ref()));
    assertThat(results.receiveMessage()).isInstanceOf(Result.Failed.class);
    pod.tell(new NetworkNamespace.StopContainer("c1", 30_000, results.ref()));
    results.expectMessage(Result.ok(Done.getInstance()));
    events.expectMessage(new ContainerEvent.Exited("c1", 143, "Error"));
    pod.tell(new NetworkNamespace.RemoveContainer("c1", results.ref()));
    results.expectMessage(Result.ok(Done.getInstance()));
  }

  @Test
  void twoPodsTalkThroughTheirInterfaces() {
    ActorRef<NetworkNamespace.Command> other = namespace("other");
    Ipv4Address ours = Ipv4Address.parse("10.42.1.80");
    Ipv4Address theirs = Ipv4Address.parse("10.42.0.51");
    join(pod, 2, other);
    join(other, 2, pod);
    // Each is the other's gateway: enough of a network for two.
    pod.tell(new NetworkNamespace.ConfigureInterface("eth0", ours, theirs, 1450, results.ref()));
    results.expectMessage(Result.ok(Done.getInstance()));
    other.tell(new NetworkNamespace.ConfigureInterface("eth0", theirs, ours, 1450, results.ref()));
    results.expectMessage(Result.ok(Done.getInstance()));
    other.tell(
        new NetworkNamespace.StartContainer(
            spec("kennethreitz/httpbin", List.of()), events.ref(), results.ref()));
    results.expectMessage(Result.ok(Done.getInstance()));
    start("curlimages/curl", "sleep", "365d");

    assertThat(readAll(exec(false, false, "curl", "-s", "http://10.42.0.51/ip"), 0))
        .isEqualTo("{\n  \"origin\": \"10.42.1.80\"\n}\n");

    TestProbe<Done> stopped = kit.createTestProbe();
    other.tell(new NetworkNamespace.Stop(stopped.ref()));
    pod.tell(new NetworkNamespace.Stop(stopped.ref()));
    stopped.receiveSeveralMessages(2);
    stopped.awaitAssert(
        () -> {
          assertThat(pool.inUse()).isZero();
          return null;
        });
    pod.tell(new NetworkNamespace.RemoveContainer("c1", results.ref()));
    assertThat(results.receiveMessage())
        .isEqualTo(Result.failed(Errno.ENOENT, "namespace pod was deleted"));
  }

  private static void join(
      ActorRef<NetworkNamespace.Command> from, int ifindex, ActorRef<NetworkNamespace.Command> to) {
    Backlog backlog = new Backlog(10_000);
    LinkInfo link =
        new LinkInfo(
            ifindex,
            "eth0",
            LinkInfo.Kind.VETH,
            MacAddress.locallyAdministered(from.hashCode()),
            1500,
            3,
            "",
            "");
    FrameSink sink =
        frames -> {
          backlog.reserve(frames.length);
          to.tell(new NetworkNamespace.Receive(2, frames, backlog));
        };
    from.tell(
        new NetworkNamespace.AttachInterface(
            link, false, sink, () -> NamespaceView.Statistics.ZERO));
  }

  @Test
  void anUnknownInterfaceIsNamed() {
    pod.tell(
        new NetworkNamespace.ConfigureInterface(
            "eth7",
            Ipv4Address.parse("10.0.0.1"),
            Ipv4Address.parse("10.0.0.2"),
            0,
            results.ref()));

    assertThat(results.receiveMessage())
        .isEqualTo(
            Result.failed(
                Errno.ENODEV, "namespace pod has no interface eth7: create the veth pair first"));
  }
}
