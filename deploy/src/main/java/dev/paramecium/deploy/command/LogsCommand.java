package dev.paramecium.deploy.command;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Pods;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints a container's log. */
@Command(name = "logs", mixinStandardHelpOptions = true, description = "Prints a container's log.")
final class LogsCommand implements Callable<Integer> {

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(index = "0", paramLabel = "POD")
  private String pod = "";

  @Option(
      names = {"-n", "--namespace"},
      defaultValue = "default")
  private String namespace = "default";

  @Option(
      names = {"-c", "--container"},
      defaultValue = "")
  private String container = "";

  @Option(names = {"-f", "--follow"})
  private boolean follow;

  @Option(names = "--tail", defaultValue = "-1", paramLabel = "LINES")
  private int tail = -1;

  @Option(names = "--since-seconds", defaultValue = "0", paramLabel = "SECONDS")
  private int sinceSeconds;

  @Option(names = "--timestamps")
  private boolean timestamps;

  @Override
  public Integer call() {
    ApiHttp api = cluster.api();
    String path =
        Pods.path(namespace, pod)
            + "/log"
            + ApiHttp.query(
                List.of(
                    "container", container,
                    "follow", follow ? "true" : "",
                    "tailLines", tail < 0 ? "" : Integer.toString(tail),
                    "sinceSeconds", sinceSeconds <= 0 ? "" : Integer.toString(sinceSeconds),
                    "timestamps", timestamps ? "true" : ""));
    try (InputStream log = api.stream(path)) {
      log.transferTo(System.out);
      System.out.flush();
      return 0;
    } catch (IOException e) {
      throw new UserError(UserError.FAILED, "the log broke off: " + e.getMessage() + ".");
    }
  }
}
