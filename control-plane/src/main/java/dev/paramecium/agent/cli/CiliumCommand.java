package dev.paramecium.agent.cli;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Which {@code cilium} sub-commands the agent answers, and who answers each. */
public final class CiliumCommand {

  private static final Set<String> OWN =
      Set.of(
          "endpoint",
          "ep",
          "identity",
          "id",
          "node",
          "status",
          "map",
          "prefilter",
          "version",
          "ip",
          "service",
          "svc",
          "config");

  private CiliumCommand() {}

  /** Whether the command is about the agent's affairs and not the kernel's. */
  public static boolean isOwn(List<String> argv) {
    if (argv.size() < 2) {
      return false;
    }
    String program = program(argv);
    return program.equals(PolicyExplanation.PROGRAM)
        || (program.equals("cilium") && OWN.contains(argv.get(1)));
  }

  private static String program(List<String> argv) {
    return argv.getFirst().substring(argv.getFirst().lastIndexOf('/') + 1);
  }

  /** Runs a command for which {@link #isOwn} is true. */
  public static CompletionStage<CommandOutput> run(List<String> argv, AgentView view) {
    Arguments arguments = Arguments.parse(argv);
    if (!arguments.error().isEmpty()) {
      return now(CommandOutput.error(arguments.error()));
    }
    if (program(argv).equals(PolicyExplanation.PROGRAM)) {
      return now(PolicyExplanation.run(view, arguments));
    }
    String verb = arguments.word(1);
    boolean list = verb.equals("list") || verb.equals("ls");
    return switch (arguments.word(0)) {
      case "endpoint", "ep" ->
          list
              ? now(EndpointTables.list(view, arguments))
              : verb.equals("get")
                  ? now(EndpointTables.get(view, arguments))
                  : now(unknown(arguments, "get, list"));
      case "identity", "id" ->
          list
              ? now(IdentityTables.list(view, arguments))
              : verb.equals("get")
                  ? now(IdentityTables.get(view, arguments))
                  : now(unknown(arguments, "get, list"));
      case "ip" ->
          list ? now(IdentityTables.ips(view, arguments)) : now(unknown(arguments, "list"));
      case "node" ->
          list ? now(StatusReport.nodes(view, arguments)) : now(unknown(arguments, "list"));
      case "map" ->
          list
              ? MapTables.list(view, arguments)
              : verb.equals("get")
                  ? MapTables.get(view, arguments)
                  : now(unknown(arguments, "get, list"));
      case "prefilter" -> PrefilterCommands.run(view.prefilter(), arguments, verb);
      case "config" -> now(ConfigCommand.print(view, arguments));
      case "service", "svc" -> service(view, arguments, verb);
      case "status" -> StatusReport.status(view, arguments);
      case "version" -> now(StatusReport.version(view, arguments));
      default ->
          now(
              unknown(
                  arguments,
                  "config, endpoint, identity, ip, map, node, prefilter, service, status, version"));
    };
  }

  private static CompletionStage<CommandOutput> service(
      AgentView view, Arguments arguments, String verb) {
    return switch (verb) {
      case "list", "ls" -> now(ServiceCommands.list(view.services(), arguments));
      case "get" -> now(ServiceCommands.get(view.services(), arguments));
      case "update" -> ServiceCommands.update(view.services(), arguments);
      case "delete" -> ServiceCommands.delete(view.services(), arguments);
      default -> now(unknown(arguments, "delete, get, list, update"));
    };
  }

  private static CompletionStage<CommandOutput> now(CommandOutput output) {
    return CompletableFuture.completedFuture(output);
  }

  private static CommandOutput unknown(Arguments arguments, String known) {
    return CommandOutput.error(
        "unknown command \""
            + arguments.word(1)
            + "\" for \"cilium "
            + arguments.word(0)
            + "\": use one of "
            + known);
  }
}
