package dev.paramecium.inspect;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.syscall.AgentCall;
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
    CompletionStage<AgentCall.Reply> reply = agent.call(process.argv());
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
}
