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
}
