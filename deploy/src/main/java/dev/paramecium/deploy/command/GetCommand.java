package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Resources;
import dev.paramecium.deploy.client.TablePrinter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists objects as kubectl does. */
@Command(
    name = "get",
    mixinStandardHelpOptions = true,
    description =
        "Lists objects: pods, nodes, namespaces, ciliumendpoints, ciliumidentities, ciliumnodes, …")
final class GetCommand implements Callable<Integer> {

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(index = "0", paramLabel = "RESOURCE", description = "as pods, po, pod/curl, nodes")
  private String resource = "";

  @Parameters(index = "1", arity = "0..1", paramLabel = "NAME")
  private @Nullable String name;

  @Option(
      names = {"-n", "--namespace"},
      defaultValue = "default")
  private String namespace = "default";

  @Option(names = {"-A", "--all-namespaces"})
  private boolean allNamespaces;

  @Option(
      names = {"-o", "--output"},
      defaultValue = "",
      paramLabel = "FORMAT",
      description = "wide, json, yaml or name")
  private String output = "";

  @Option(
      names = {"-l", "--selector"},
      defaultValue = "",
      paramLabel = "LABELS")
  private String labelSelector = "";

  @Option(names = "--field-selector", defaultValue = "", paramLabel = "FIELDS")
  private String fieldSelector = "";

  @Override
  public Integer call() throws JsonProcessingException {
    if (!List.of("", "wide", "json", "yaml", "name").contains(output)) {
      throw new UserError(
          UserError.USAGE,
          "output format \"" + output + "\" is not known: use wide, json, yaml or name.");
    }
    String type = resource;
    String wanted = name;
    int slash = resource.indexOf('/');
    if (slash > 0) {
      type = resource.substring(0, slash);
      wanted = resource.substring(slash + 1);
    }
    ApiHttp api = cluster.api();
    Resources.Resource found = Resources.discover(api).named(type);
    String path =
        found.path(allNamespaces ? "" : namespace)
            + (wanted == null ? "" : "/" + wanted)
            + ApiHttp.query(
                List.of("labelSelector", labelSelector, "fieldSelector", fieldSelector));
    switch (output) {
      case "json" ->
          System.out.println(
              ApiHttp.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(api.get(path)));
      case "yaml" -> System.out.print(yaml(api.get(path)));
      case "name" -> {
        JsonNode answer = api.get(path);
        Iterable<JsonNode> items = wanted == null ? answer.path("items") : List.of(answer);
        items.forEach(
            item -> System.out.println(found.display(item.path("metadata").path("name").asText())));
      }
      default -> {
        JsonNode table = api.get(path, ApiHttp.TABLE);
        if (table.path("rows").isEmpty()) {
          System.err.println(
              found.namespaced() && !allNamespaces
                  ? "No resources found in " + namespace + " namespace."
                  : "No resources found");
        } else {
          TablePrinter.print(
              table, output.equals("wide"), allNamespaces && found.namespaced(), System.out);
        }
      }
    }
    return 0;
  }

  private static String yaml(JsonNode node) {
    DumperOptions options = new DumperOptions();
    options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
    options.setIndicatorIndent(0);
    return new Yaml(options).dump(ApiHttp.JSON.convertValue(node, Object.class));
  }
}
