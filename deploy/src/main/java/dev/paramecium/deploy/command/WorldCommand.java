package dev.paramecium.deploy.command;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.cluster.World;
import dev.paramecium.deploy.cluster.WorldProcess;
import dev.paramecium.world.HostSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What lies outside the cluster. */
@Command(
    name = "world",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "The hosts outside the cluster, which spec.world of a cluster file names: runs commands on"
            + " them.",
    subcommands = {WorldCommand.Exec.class, WorldCommand.Run.class})
final class WorldCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec != null) {
      spec.commandLine().usage(spec.commandLine().getOut());
    }
    return CommandLine.ExitCode.USAGE;
  }

  /** Runs a command on a host outside. */
  @Command(
      name = "exec",
      mixinStandardHelpOptions = true,
      description =
          "Runs curl, nc, ping, nslookup, … on a host outside the cluster, or on the gateway:"
              + " paramecium world exec example.com -- curl 127.0.0.2:30080")
  static final class Exec implements Callable<Integer> {

    @Mixin private final ClusterOptions cluster = new ClusterOptions();

    @Parameters(index = "0", paramLabel = "HOST")
    private String host = "";

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "-- COMMAND")
    private List<String> command = List.of();

    @Option(
        names = {"-i", "--stdin"},
        description = "pass standard input on")
    private boolean stdin;

    @Override
    public Integer call() {
      return ExecSession.run(
          cluster.api(),
          ApiHttp.worldPath(host) + "/exec" + ExecSession.query(command, "", stdin, false),
          stdin ? System.in : null,
          System.out,
          System.err);
    }
  }

  /** Gateway and hosts in the foreground. */
  @Command(
      name = "run",
      mixinStandardHelpOptions = true,
      description = "Runs the gateway and the hosts behind it in the foreground.")
  static final class Run implements Callable<Integer> {

    @Mixin private final ProcessOptions process = new ProcessOptions();

    @Option(
        names = "--gateway",
        required = true,
        defaultValue = "${env:PARAMECIUM_GATEWAY}",
        paramLabel = "IP",
        description = "the gateway's own address, on the nodes' /24; nodes get the same option")
    private String gateway = "";

    @Option(
        names = "--host",
        required = true,
        paramLabel = "NAME=IP[,PORT:PROGRAM]",
        description =
            "a host, and httpbin or echo on its ports, once for each host:"
                + " example.com=203.0.113.10,80:httpbin,7/udp:echo")
    private List<String> hosts = List.of();

    @Option(
        names = "--load-balancer-node",
        paramLabel = "IP",
        description =
            "the node that addresses of load-balancer-ipv4-pool are routed to; without it none")
    private @Nullable String balancer;

    @Option(
        names = "--join",
        required = true,
        defaultValue = "${env:PARAMECIUM_JOIN}",
        split = ",",
        paramLabel = "HOST[:PORT]",
        description = "a control plane's cluster link")
    private List<String> join = List.of();

    @Override
    public Integer call() {
      List<HostSpec> specs = new ArrayList<>();
      for (String host : hosts) {
        try {
          specs.add(HostSpec.parse(host));
        } catch (IllegalArgumentException e) {
          throw new UserError(UserError.USAGE, "--host " + host + ": " + e.getMessage() + ".");
        }
      }
      Ipv4Address node =
          balancer == null ? null : ProcessOptions.address("--load-balancer-node", balancer);
      new WorldProcess(
              new World(ProcessOptions.address("--gateway", gateway), specs),
              ProcessOptions.links(join),
              process.clusterName,
              process.options(),
              node)
          .run();
      return 0;
    }
  }
}
