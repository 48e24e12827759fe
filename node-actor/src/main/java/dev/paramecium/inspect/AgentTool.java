package dev.paramecium.inspect;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.syscall.AgentCall;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A command that the agent answers: it is sent to the agent's socket as it was typed. */
public final class AgentTool implements Executable {

  private static final String HINT = "\nIs the agent running?";

  private static final String STDIN = "-";
  private static final Set<String> YAML_FLAGS = Set.of("--src-k8s-yaml", "--dst-k8s-yaml");

  private final AgentSocket agent;

  public AgentTool(AgentSocket agent) {
    this.agent = agent;
  }

  @Override
  public Process start(ProcessContext process) {
    List<String> words = process.argv();
    if (isImport(words) && words.contains(STDIN)) {
      return new FromStdin(process);
    }
    List<String> request;
    try {
      request = request(process);
    } catch (ToolError e) {
      return Tool.executable(
              (_, _, _) -> {
                throw e;
              })
          .start(process);
    }
    return send(process, request);
  }

  private Process send(ProcessContext process, List<String> request) {
    CompletionStage<AgentCall.Reply> reply = agent.call(request);
    if (reply == null) {
      return Tool.executable(
              (_, _, _) -> {
                throw new ToolError(
                    1,
                    "Error: dial unix "
                        + AgentSocket.PATH
                        + ": connect: connection refused"
                        + HINT);
              })
          .start(process);
    }
    ToolProcess waiting = ToolProcess.waiting(process);
    reply.whenComplete(
        (answer, failure) ->
            process
                .executor()
                .execute(
                    () -> {
                      if (failure != null) {
                        waiting.print(
                            new ToolOutput()
                                .error(
                                    "Error: "
                                        + AgentSocket.PATH
                                        + ": context deadline exceeded"
                                        + HINT
                                        + "\n"),
                            1);
                      } else {
                        waiting.print(
                            new ToolOutput().print(answer.stdout()).error(answer.stderr()),
                            answer.exitCode());
                      }
                    }));
    return waiting;
  }

  /**
   * The command line; in the place of a file's path what it holds, as the client sends it: of
   * {@code policy import PATH} and {@code policy trace --src-k8s-yaml PATH}.
   */
  private static List<String> request(ProcessContext process) {
    List<String> words = new ArrayList<>(process.argv());
    if (words.size() < 4 || !words.get(1).equals("policy")) {
      return words;
    }
    for (int i = 3; i < words.size(); i++) {
      boolean isPath =
          switch (words.get(2)) {
            case "import" -> !words.get(i).startsWith("-");
            case "trace" -> YAML_FLAGS.contains(words.get(i - 1));
            default -> false;
          };
      if (isPath) {
        words.set(i, content(process, words.get(i)));
      }
    }
    return words;
  }

  private static boolean isImport(List<String> words) {
    return words.size() > 3 && words.subList(1, 3).equals(List.of("policy", "import"));
  }

  /** {@code policy import -}: the rules are what is typed, or comes through a pipe. */
  private final class FromStdin implements Process {

    private final ProcessContext process;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private @Nullable Process sent;

    FromStdin(ProcessContext process) {
      this.process = process;
      if (process.hasStdin()) {
        process.readStdin();
      } else {
        send();
      }
    }

    private void send() {
      List<String> words = new ArrayList<>(process.argv());
      words.set(words.indexOf(STDIN), read.toString(StandardCharsets.UTF_8).strip());
      sent = AgentTool.this.send(process, words);
    }

    @Override
    public void stdin(byte[] bytes) {
      read.writeBytes(bytes);
    }

    @Override
    public void stdinClosed() {
      if (sent == null) {
        send();
      }
    }

    @Override
    public void outputDrained() {
      if (sent != null) {
        sent.outputDrained();
      }
    }

    @Override
    public void signal(int number) {
      process.exit(Signals.exitCode(number));
    }
  }

  private static String content(ProcessContext process, String path) {
    byte[] bytes = process.files().read(path);
    if (bytes == null) {
      throw new ToolError(
          1,
          "Error: Cannot parse policy " + path + ": open " + path + ": no such file or directory");
    }
    return new String(bytes, StandardCharsets.UTF_8).strip();
  }
}
