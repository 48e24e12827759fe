package dev.paramecium.syscall;

import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What the node's tools say on the agent's socket, {@code /var/run/cilium/cilium.sock}. On a real
 * node it is REST; here the agent also prints.
 *
 * @param argv the command line, the program's name first
 */
public record AgentCall(List<String> argv, ActorRef<Reply> replyTo) {

  public AgentCall {
    argv = List.copyOf(argv);
  }

  /** What the command printed and how it ended. */
  public record Reply(String stdout, String stderr, int exitCode) {}
}
