package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.PolicyDecisions;
import dev.paramecium.deploy.whatif.DiffPrinter;
import dev.paramecium.deploy.whatif.PolicyDiff;
import java.util.List;
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

  @Command(
      name = "diff",
      mixinStandardHelpOptions = true,
      description =
          "Who would reach whom otherwise than now if policies were applied, each with the rule"
              + " that would decide. Nothing is applied.")
  int diff(
      @Mixin ClusterOptions cluster,
      @Option(
              names = {"-f", "--filename"},
              required = true,
              paramLabel = "FILE",
              description = "policies in a file, a folder, or - for standard input")
          List<String> files,
      @Option(names = "--prune", description = "as if policies that are in no file were deleted")
          boolean prune,
      @Option(names = "--exit-code", description = "exit with 1 if something would change")
          boolean exitCode,
      @Mixin JsonOption format)
      throws JsonProcessingException {
    boolean json = format.wanted();
    List<ObjectNode> objects =
        files.stream().flatMap(file -> Manifests.read(file).stream()).toList();
    PolicyDiff diff = PolicyDiff.of(cluster.api(), objects, prune);
    if (json) {
      System.out.println(
          ApiHttp.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(DiffPrinter.json(diff)));
    } else {
      DiffPrinter.print(diff, System.out);
    }
    return exitCode && !diff.changes().isEmpty() ? UserError.FAILED : 0;
  }
}
