package dev.paramecium.inspect;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.syscall.AgentCall;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** A command that the agent answers: it is sent to the agent's socket as it was typed. */
public final class AgentTool implements Executable {

  private static final String HINT = "\nIs the agent running?";

  private final AgentSocket agent;

  public AgentTool(AgentSocket agent) {
    this.agent = agent;
  }

  @Override
  public Process start(ProcessContext process) {
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
   * The command line; of {@code policy import PATH} what the file holds, as the client sends it.
   */
  private static List<String> request(ProcessContext process) {
    List<String> words = new ArrayList<>(process.argv());
    if (words.size() < 4 || !words.get(1).equals("policy") || !words.get(2).equals("import")) {
      return words;
    }
    for (int i = 3; i < words.size(); i++) {
      String path = words.get(i);
      if (!path.startsWith("-")) {
        byte[] bytes = process.files().read(path);
        if (bytes == null) {
          throw new ToolError(
              1,
              "Error: Cannot parse policy "
                  + path
                  + ": open "
                  + path
                  + ": no such file or directory");
        }
        words.set(i, new String(bytes, StandardCharsets.UTF_8).strip());
      }
    }
    return words;
  }
}
