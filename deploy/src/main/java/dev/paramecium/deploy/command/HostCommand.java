package dev.paramecium.deploy.command;

import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a command on a node, as root there. */
@Command(
    name = "host",
    mixinStandardHelpOptions = true,
    description =
        "Runs ip, arp, tc, bpftool, cilium, tcpdump, ping, curl, … on a node: paramecium host"
            + " node-1 -- ip link")
final class HostCommand implements Callable<Integer> {

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(index = "0", paramLabel = "NODE")
  private String node = "";

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "-- COMMAND")
  private List<String> command = List.of();

  @Option(
      names = {"-i", "--stdin"},
      description = "pass standard input on")
  private boolean stdin;

  @Override
  public Integer call() {
    ApiHttp api = cluster.api();
    return ExecSession.run(
        api, path(node, command, stdin), stdin ? System.in : null, System.out, System.err);
  }

  /** Where a node's exec is served. */
  static String path(String node, List<String> command, boolean stdin) {
    return "/apis/paramecium.dev/v1alpha1/nodes/"
        + node
        + "/exec"
        + ExecSession.query(command, "", stdin, false);
  }
}
