package dev.paramecium.inspect;

import dev.paramecium.syscall.AgentCall;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The socket on which the node's tools ask cilium-agent. Any thread may call. */
@FunctionalInterface
public interface AgentSocket {

  /** Where it lies in the node's files. */
  String PATH = "/var/run/cilium/cilium.sock";

  /** Nobody listens. */
  AgentSocket CLOSED = _ -> null;

  /**
   * Sends a command line. Null if nobody listens; fails with a {@link
   * java.util.concurrent.TimeoutException} if the agent does not answer.
   */
  @Nullable CompletionStage<AgentCall.Reply> call(List<String> argv);
}
