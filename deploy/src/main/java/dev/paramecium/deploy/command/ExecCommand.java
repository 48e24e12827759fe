package dev.paramecium.deploy.command;

import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Pods;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a command in a pod and ends with its exit code. */
@Command(
    name = "exec",
    mixinStandardHelpOptions = true,
    description = "Runs a command in a pod: paramecium exec curl -- curl http://10.42.1.7/get")
final class ExecCommand implements Callable<Integer> {

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(index = "0", paramLabel = "POD")
  private String pod = "";

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "-- COMMAND")
  private List<String> command = List.of();

  @Option(
      names = {"-n", "--namespace"},
      defaultValue = "default")
  private String namespace = "default";

  @Option(
      names = {"-c", "--container"},
      defaultValue = "")
  private String container = "";

  @Option(
      names = {"-i", "--stdin"},
      description = "pass standard input on")
  private boolean stdin;

  @Option(
      names = {"-t", "--tty"},
      description = "standard input is a terminal")
  private boolean tty;

  @Override
  public Integer call() {
    ApiHttp api = cluster.api();
    String path =
        Pods.path(namespace, pod) + "/exec" + ExecSession.query(command, container, stdin, tty);
    return ExecSession.run(api, path, stdin ? System.in : null, System.out, System.err);
  }
}
