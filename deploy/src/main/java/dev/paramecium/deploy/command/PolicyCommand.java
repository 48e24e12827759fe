package dev.paramecium.deploy.command;

import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.PolicyDecisions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Questions about policies. */
@Command(
    name = "policy",
    mixinStandardHelpOptions = true,
    description = "Says what the cluster's policies do.")
final class PolicyCommand {

  @Command(
      name = "explain",
      mixinStandardHelpOptions = true,
      description = "Who may reach a pod and whom it may reach, each with the rule that says so.")
  int explain(
      @Mixin ClusterOptions cluster,
      @Parameters(paramLabel = "POD", description = "[namespace/]pod") String pod,
      @Option(
              names = {"-n", "--namespace"},
              defaultValue = "default")
          String namespace,
      @Mixin JsonOption format) {
    ApiHttp api = cluster.api();
    System.out.print(PolicyDecisions.explain(api, Pods.find(api, pod, namespace), format.wanted()));
    return 0;
  }
}
