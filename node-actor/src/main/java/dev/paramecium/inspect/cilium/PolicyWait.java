package dev.paramecium.inspect.cilium;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.inspect.AgentSocket;
import dev.paramecium.syscall.AgentCall;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * {@code cilium policy wait REVISION}: asks the agent for its endpoints until all of them reflect a
 * policy revision, or have failed for too long ({@code cilium/cmd/policy_wait.go}).
 */
final class PolicyWait implements Process {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SLEEP = "--sleep-time";
  private static final String FAIL = "--fail-wait-time";
  private static final String MOST = "--max-wait-time";

  private final ProcessContext process;
  private final AgentSocket agent;
  private final Map<String, Long> seconds = new HashMap<>(Map.of(SLEEP, 1L, FAIL, 60L, MOST, 360L));
  private final long startedAtMs;
  private long revision;
  private boolean waited;

  private PolicyWait(ProcessContext process, AgentSocket agent) {
    this.process = process;
    this.agent = agent;
    this.startedAtMs = process.clock().epochMs();
  }

  /**
   * Starts it.
   *
   * @param words after {@code cilium policy wait}
   */
  static Process start(List<String> words, AgentSocket agent, ProcessContext process) {
    PolicyWait wait = new PolicyWait(process, agent);
    String refusal = wait.read(words);
    if (refusal.isEmpty()) {
      wait.ask();
    } else {
      wait.fail("Error: " + refusal);
    }
    return wait;
  }

  /** What is wrong with the command line; empty if nothing is. */
  private String read(List<String> words) {
    String wanted = "";
    for (int i = 0; i < words.size(); i++) {
      String[] flag = words.get(i).split("=", 2);
      if (seconds.containsKey(flag[0])) {
        if (flag.length == 1 && ++i == words.size()) {
          return "flag needs an argument: " + flag[0];
        }
        String value = flag.length == 1 ? words.get(i) : flag[1];
        Long number = number(value);
        if (number == null) {
          return "invalid argument \"" + value + "\" for \"" + flag[0] + "\": give seconds";
        }
        seconds.put(flag[0], number);
      } else if (flag[0].startsWith("-")) {
        return "unknown flag: " + flag[0];
      } else {
        wanted = words.get(i);
      }
    }
    if (wanted.isEmpty()) {
      return "invalid revision: cilium policy wait <revision>";
    }
    Long number = number(wanted);
    if (number == null) {
      return "invalid revision '" + wanted + "': give the number that cilium policy get prints";
    }
    revision = number;
    return "";
  }

  private static @Nullable Long number(String text) {
    return text.matches("[0-9]{1,18}") ? Long.valueOf(text) : null;
  }

  private long seconds(String flag) {
    return seconds.getOrDefault(flag, 0L);
  }

  private void fail(String why) {
    process.printError(why + "\n");
    process.exit(1);
  }

  private void ask() {
    CompletionStage<AgentCall.Reply> reply =
        agent.call(List.of("cilium", "endpoint", "list", "-o", "json"));
    if (reply == null) {
      fail("Error: cannot list endpoints: " + AgentSocket.PATH + ": connection refused");
      return;
    }
    reply.whenComplete(
        (answer, failure) -> process.executor().execute(() -> heard(answer, failure)));
  }

  private void heard(AgentCall.@Nullable Reply answer, @Nullable Throwable failure) {
    JsonNode endpoints = null;
    if (failure == null && answer != null) {
      try {
        endpoints = JSON.readTree(answer.stdout());
      } catch (JsonProcessingException _) {
        // What is no list says why.
      }
    }
    if (endpoints == null || !endpoints.isArray()) {
      fail("Error: cannot list endpoints: the agent does not answer");
      return;
    }
    look(endpoints);
  }

  private void look(JsonNode endpoints) {
    int ready = 0;
    int failed = 0;
    for (JsonNode endpoint : endpoints) {
      String state = endpoint.at("/status/state").asText();
      long realized = endpoint.at("/status/policy/realized/policy-revision").asLong();
      if (state.equals("ready") && realized >= revision) {
        ready++;
      } else if (state.equals("not-ready")) {
        failed++;
      }
    }
    long waitedMs = process.clock().epochMs() - startedAtMs;
    if (ready == endpoints.size()) {
      if (waited) {
        process.print("\n");
      }
      process.exit(0);
    } else if (failed > 0 && waitedMs > seconds(FAIL) * 1000) {
      fail(
          "Error: \n%d endpoints have failed regeneration after %ds"
              .formatted(failed, waitedMs / 1000));
    } else if (waitedMs > seconds(MOST) * 1000) {
      fail(
          "Error: \n%d endpoints still not ready after %ds (%d failed)"
              .formatted(endpoints.size() - ready, waitedMs / 1000, failed));
    } else {
      process.print(
          "\rWaiting for endpoints to run policy revision %d: %d/%d              "
              .formatted(revision, ready, endpoints.size()));
      waited = true;
      process.sockets().schedule(Math.max(1, seconds(SLEEP) * 1000), this::ask);
    }
  }

  @Override
  public void signal(int number) {
    process.exit(Signals.exitCode(number));
  }
}
