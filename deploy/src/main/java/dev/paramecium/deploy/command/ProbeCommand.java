package dev.paramecium.deploy.command;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.PolicyDecisions;
import java.io.OutputStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Connects from one pod to another, with real packets. */
@Command(
    name = "probe",
    mixinStandardHelpOptions = true,
    description =
        "Connects from a pod to a pod and prints allowed or denied, and which rules of which"
            + " policies decided. Exit code 0 if allowed, 1 if denied.")
final class ProbeCommand implements Callable<Integer> {

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(index = "0", paramLabel = "SRC", description = "[namespace/]pod")
  private String source = "";

  @Parameters(index = "1", paramLabel = "DST:PORT", description = "[namespace/]pod; icmp: no port")
  private String destination = "";

  @Option(
      names = "--protocol",
      paramLabel = "PROTOCOL",
      defaultValue = "tcp",
      description = "tcp, udp or icmp; default tcp")
  private String protocol = "tcp";

  @Option(
      names = {"-n", "--namespace"},
      defaultValue = "default")
  private String namespace = "default";

  @Override
  public Integer call() {
    int colon = destination.indexOf(':');
    int port = colon < 0 ? 0 : TraceCommand.port(destination.substring(colon + 1));
    String chosen = protocol.toLowerCase(Locale.ROOT);
    int number = TraceCommand.protocolNumber(chosen, port);
    ApiHttp api = cluster.api();
    Pods.Pod from = Pods.find(api, source, namespace);
    Pods.Pod to =
        Pods.find(api, colon < 0 ? destination : destination.substring(0, colon), namespace);
    int exitCode =
        ExecSession.run(
            api,
            from.execPath()
                + ExecSession.query(
                    List.of(
                        "paramecium-probe",
                        chosen,
                        to.address().toString(),
                        Integer.toString(port)),
                    "",
                    false,
                    false),
            null,
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream());
    boolean allowed = TraceCommand.isAnswer(exitCode);
    System.out.println(allowed ? "allowed" : "denied");
    PolicyDecisions.between(api, from, to, number, port)
        .forEach(decision -> System.out.println("  " + decision));
    return allowed ? 0 : UserError.FAILED;
  }
}
