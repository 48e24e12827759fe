package dev.paramecium.deploy.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Resources;
import dev.paramecium.deploy.client.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Deletes objects and waits until they are gone. */
@Command(
    name = "delete",
    mixinStandardHelpOptions = true,
    description = "Deletes objects by name or by manifest, and waits until they are gone.")
final class DeleteCommand implements Callable<Integer> {

  private static final Duration WAIT_LIMIT = Duration.ofMinutes(2);

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(arity = "0..*", paramLabel = "RESOURCE NAME…")
  private List<String> arguments = List.of();

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE")
  private List<String> files = List.of();

  @Option(
      names = {"-n", "--namespace"},
      defaultValue = "default")
  private String namespace = "default";

  @Option(names = "--grace-period", defaultValue = "-1", paramLabel = "SECONDS")
  private long gracePeriodSeconds = -1;

  @Option(names = "--force", description = "do not wait for the node: grace period 0")
  private boolean force;

  @Option(names = "--wait", negatable = true, defaultValue = "true", fallbackValue = "true")
  private boolean wait = true;

  private record Target(Resources.Resource resource, String namespace, String name) {
    String path() {
      return resource.path(namespace) + "/" + name;
    }
  }

  @Override
  public Integer call() {
    if (files.isEmpty() == arguments.isEmpty()) {
      throw new UserError(
          UserError.USAGE,
          "name a resource and objects (delete pod curl) or a manifest (-f FILE).");
    }
    ApiHttp api = cluster.api();
    Resources resources = Resources.discover(api);
    List<Target> targets = files.isEmpty() ? named(resources) : fromFiles(resources);
    ObjectNode options = ApiHttp.JSON.createObjectNode().put("propagationPolicy", "Background");
    if (force || gracePeriodSeconds >= 0) {
      options.put("gracePeriodSeconds", force ? 0 : gracePeriodSeconds);
    }
    for (Target target : targets) {
      api.delete(target.path(), options);
      System.out.println(
          target
                  .resource()
                  .display(target.name())
                  .replace('/', ' ')
                  .replaceFirst(" (.*)", " \"$1\"")
              + " deleted");
    }
    if (wait) {
      List<Target> remaining = new ArrayList<>(targets);
      Waiting.until(
          WAIT_LIMIT,
          () -> {
            remaining.removeIf(target -> api.find(target.path()).isMissingNode());
            return remaining.isEmpty();
          },
          () ->
              remaining.getFirst().resource().display(remaining.getFirst().name())
                  + " is still there after "
                  + WAIT_LIMIT.toSeconds()
                  + " s.");
    }
    return 0;
  }

  private List<Target> named(Resources resources) {
    List<Target> targets = new ArrayList<>();
    String first = arguments.getFirst();
    if (first.contains("/")) {
      for (String argument : arguments) {
        int slash = argument.indexOf('/');
        if (slash < 0) {
          throw new UserError(
              UserError.USAGE, "\"" + argument + "\" must be RESOURCE/NAME like the others.");
        }
        targets.add(
            target(resources.named(argument.substring(0, slash)), argument.substring(slash + 1)));
      }
    } else {
      if (arguments.size() < 2) {
        throw new UserError(UserError.USAGE, "say which " + first + " to delete, by name.");
      }
      Resources.Resource resource = resources.named(first);
      arguments.stream().skip(1).forEach(name -> targets.add(target(resource, name)));
    }
    return targets;
  }

  private Target target(Resources.Resource resource, String name) {
    return new Target(resource, namespace, name);
  }

  private List<Target> fromFiles(Resources resources) {
    List<Target> targets = new ArrayList<>();
    for (String file : files) {
      for (ObjectNode object : Manifests.read(file)) {
        targets.add(
            new Target(
                resources.of(object.path("apiVersion").asText(), object.path("kind").asText()),
                object.path("metadata").path("namespace").asText(namespace),
                object.path("metadata").path("name").asText()));
      }
    }
    return targets;
  }
}
