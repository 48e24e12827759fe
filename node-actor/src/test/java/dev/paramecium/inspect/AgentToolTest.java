package dev.paramecium.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.inspect.cilium.CiliumCommand;
import dev.paramecium.syscall.AgentCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class AgentToolTest {

  private final WalkNode node = new WalkNode();
  private final List<List<String>> asked = new ArrayList<>();
  private final CompletableFuture<AgentCall.Reply> reply = new CompletableFuture<>();

  private ToolRun run(AgentSocket socket, int room, String... argv) {
    return ToolRun.start(
        Map.of("cilium", CiliumCommand.onNode(node, IdentityLabels.RESERVED, socket)),
        WalkNode.host(),
        room,
        List.of(argv));
  }

  private ToolRun ask(String... argv) {
    return run(
        words -> {
          asked.add(words);
          return reply;
        },
        Integer.MAX_VALUE,
        argv);
  }

  @Test
  void printsWhatTheAgentAnswers() {
    ToolRun run = ask("cilium", "endpoint", "get", "77", "-o", "json");
    assertThat(asked).containsExactly(List.of("cilium", "endpoint", "get", "77", "-o", "json"));
    assertThat(run.exitCode()).isNull();
    reply.complete(new AgentCall.Reply("one\n", "two\n", 3));
    run.settle();
    assertThat(run.out()).isEqualTo("one\n");
    assertThat(run.err()).isEqualTo("two\n");
    assertThat(run.exitCode()).isEqualTo(3);
  }

  @Test
  void answersItselfWhatIsTheKernels() {
    ask("cilium", "bpf", "tunnel", "list");
    assertThat(asked).isEmpty();
  }

  @Test
  void saysThatNobodyListens() {
    ToolRun run = run(AgentSocket.CLOSED, Integer.MAX_VALUE, "cilium", "status");
    assertThat(run.err())
        .isEqualTo(
            "Error: dial unix /var/run/cilium/cilium.sock: connect: connection refused\n"
                + "Is the agent running?\n");
    assertThat(run.exitCode()).isEqualTo(1);
  }

  @Test
  void saysThatNobodyAnswers() {
    ToolRun run = ask("cilium", "status");
    reply.completeExceptionally(new TimeoutException("ask timed out on Actor[…]"));
    run.settle();
    assertThat(run.err())
        .isEqualTo(
            "Error: /var/run/cilium/cilium.sock: context deadline exceeded\n"
                + "Is the agent running?\n");
    assertThat(run.exitCode()).isEqualTo(1);
  }

  private static AgentCall.Reply endpoints(String... states) {
    List<String> endpoints = new ArrayList<>();
    for (String state : states) {
      String[] parts = state.split(" ", -1);
      endpoints.add(
          "{\"status\": {\"state\": \"%s\", \"policy\": {\"realized\": {\"policy-revision\": %s}}}}"
              .formatted(parts[0], parts[1]));
    }
    return new AgentCall.Reply(endpoints.toString(), "", 0);
  }

  /** An agent that has another answer each time; the last one stays. */
  private ToolRun waitFor(List<AgentCall.Reply> answers, String... words) {
    List<String> argv = new ArrayList<>(List.of("cilium", "policy", "wait"));
    argv.addAll(List.of(words));
    return run(
            request -> {
              asked.add(request);
              return CompletableFuture.completedFuture(
                  answers.get(Math.min(asked.size(), answers.size()) - 1));
            },
            Integer.MAX_VALUE,
            argv.toArray(String[]::new))
        .settle();
  }

  @Test
  void waitsUntilEveryEndpointReflectsARevision() {
    ToolRun run =
        waitFor(
            List.of(
                endpoints("ready 6", "ready 7"),
                endpoints("ready 7", "regenerating 7"),
                endpoints("ready 8", "ready 7")),
            "7");
    assertThat(run.out())
        .isEqualTo("\rWaiting for endpoints to run policy revision 7: 1/2              ");
    run.elapse(1000);
    assertThat(run.exitCode()).isNull();
    run.elapse(1000);
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).endsWith("1/2              \n");
    assertThat(asked).hasSize(3);
  }

  @Test
  void saysNothingWhereThereIsNothingToWaitFor() {
    ToolRun run = waitFor(List.of(endpoints("ready 9")), "7");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).isEmpty();
  }

  @Test
  void givesUpSoonerOnAnEndpointThatFails() {
    ToolRun failing = waitFor(List.of(endpoints("not-ready 6", "ready 7")), "7");
    failing.elapse(59_000);
    assertThat(failing.exitCode()).isNull();
    failing.elapse(3_000);
    assertThat(failing.exitCode()).isEqualTo(1);
    assertThat(failing.err()).contains("1 endpoints have failed regeneration after 62s");

    asked.clear();
    ToolRun slow =
        waitFor(
            List.of(endpoints("regenerating 6")), "7", "--max-wait-time=10", "--sleep-time", "2");
    slow.elapse(12_000);
    assertThat(slow.err()).contains("1 endpoints still not ready after 12s (0 failed)");
  }

  @Test
  void aRevisionIsANumber() {
    assertThat(waitFor(List.of(endpoints())).err()).contains("invalid revision");
    assertThat(waitFor(List.of(endpoints()), "seven").err()).contains("invalid revision 'seven'");
    assertThat(waitFor(List.of(endpoints()), "7", "--soon").err()).contains("unknown flag: --soon");
    assertThat(waitFor(List.of(endpoints()), "7", "--sleep-time").err())
        .contains("flag needs an argument");
    assertThat(run(AgentSocket.CLOSED, 9, "cilium", "policy", "wait", "7").settle().err())
        .contains("connection refused");
  }
}
