package dev.paramecium.agent.cli;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Who answers which {@code cilium} sub-command. */
public final class CiliumCommand {

  private static final String USAGE =
      """
      CLI for interacting with the local Cilium Agent

      Usage:
        cilium [command]

      Available Commands:
        bpf         Direct access to local BPF maps
        config      Cilium configuration options
        endpoint    Manage endpoints
        fqdn        Manage fqdn proxy
        identity    Manage security identities
        ip          Manage IP addresses and associated information
        lrp         Manage local redirect policies
        map         Access userspace cached content of BPF maps
        monitor     Display BPF program events
        node        Manage cluster nodes
        policy      Manage security policies
        prefilter   Manage XDP CIDR filters
        service     Manage services & loadbalancers
        status      Display status of daemon
        version     Print version information
      """;

  private CiliumCommand() {}

  private static String program(List<String> argv) {
    return argv.getFirst().substring(argv.getFirst().lastIndexOf('/') + 1);
  }

  /**
   * Runs a command line that came over the agent's socket.
   *
   * @param argv {@code cilium}, {@code cilium-health} or {@code paramecium-policy}, and what
   *     follows
   */
  public static CompletionStage<CommandOutput> run(List<String> argv, AgentView view) {
    Arguments arguments = Arguments.parse(argv);
    if (!arguments.error().isEmpty()) {
      return now(CommandOutput.error(arguments.error()));
    }
    switch (program(argv)) {
      case PolicyExplanation.PROGRAM -> {
        return now(PolicyExplanation.run(view, arguments));
      }
      case HealthTables.PROGRAM -> {
        return HealthTables.run(view, arguments);
      }
      default -> {}
    }
    if (arguments.has("help", "h") && arguments.words().isEmpty()) {
      return now(CommandOutput.of(USAGE));
    }
    String verb = arguments.word(1);
    boolean list = verb.equals("list") || verb.equals("ls");
    return switch (arguments.word(0)) {
      case "endpoint", "ep" -> now(endpoint(view, arguments, verb));
      case "fqdn" -> now(FqdnTables.run(view, arguments));
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
      case "lrp" ->
          list ? now(RedirectTable.list(view, arguments)) : now(unknown(arguments, "list"));
      case "map" ->
          list
              ? MapTables.list(view, arguments)
              : verb.equals("get")
                  ? MapTables.get(view, arguments)
                  : now(unknown(arguments, "get, list"));
      case "policy" -> now(PolicyCommands.run(view, arguments));
      case "prefilter" -> PrefilterCommands.run(view.prefilter(), arguments, verb);
      case "config" -> now(ConfigCommand.print(view, arguments));
      case "service", "svc" -> service(view, arguments, verb);
      case "status" -> StatusReport.status(view, arguments);
      case "version" -> now(StatusReport.version(view, arguments));
      case "", "help" -> now(CommandOutput.of(USAGE));
      default ->
          now(
              new CommandOutput(
                  "",
                  "Error: unknown command \""
                      + arguments.word(0)
                      + "\" for \"cilium\"\nRun 'cilium --help' for usage.\n",
                  1));
    };
  }

  private static CommandOutput endpoint(AgentView view, Arguments arguments, String verb) {
    return switch (verb) {
      case "list", "ls" -> EndpointTables.list(view, arguments);
      case "get" -> EndpointTables.get(view, arguments);
      case "log" -> EndpointTables.log(view, arguments);
      case "regenerate" -> EndpointTables.regenerate(view, arguments);
      default -> unknown(arguments, "get, list, log, regenerate");
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
