package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.conformance.Conformance;
import dev.paramecium.conformance.Difference;
import dev.paramecium.conformance.MalformedVectorException;
import dev.paramecium.conformance.Result;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Replays golden vectors through the emulated programs. */
@Command(
    name = "conformance",
    mixinStandardHelpOptions = true,
    description =
        "Replays golden vectors of the real datapath and prints every difference. Needs no"
            + " cluster.")
final class ConformanceCommand implements Callable<Integer> {

  @Parameters(
      arity = "1..*",
      paramLabel = "PATH",
      description = "a vector file, a folder, or a .jsonl.gz of sequences")
  private List<Path> paths = List.of();

  @Mixin private final JsonOption format = new JsonOption();

  @Override
  public Integer call() throws JsonProcessingException {
    boolean json = format.wanted();
    List<Result> results = new ArrayList<>();
    Conformance.Summary summary;
    try {
      summary =
          Conformance.run(
              paths,
              result -> {
                results.add(result);
                if (!json) {
                  print(result);
                }
              });
    } catch (MalformedVectorException e) {
      throw new UserError(UserError.USAGE, String.valueOf(e.getMessage()));
    }
    if (json) {
      System.out.println(
          ApiHttp.JSON
              .writerWithDefaultPrettyPrinter()
              .writeValueAsString(document(summary, results)));
    } else {
      System.out.println(
          summary.passed() + " passed, " + (summary.total() - summary.passed()) + " failed");
    }
    return summary.allPassed() ? 0 : UserError.FAILED;
  }

  private static void print(Result result) {
    if (!result.passes()) {
      System.out.println("FAILED " + result.name() + "  (" + result.file() + ")");
      result.differences().forEach(difference -> System.out.println("    " + difference));
    }
  }

  private static ObjectNode document(Conformance.Summary summary, List<Result> results) {
    ObjectNode document = ApiHttp.JSON.createObjectNode();
    document.put("passed", summary.passed()).put("failed", summary.total() - summary.passed());
    ArrayNode list = document.putArray("results");
    for (Result result : results) {
      ObjectNode one = list.addObject();
      one.put("name", result.name())
          .put("file", result.file().toString())
          .put("passed", result.passes());
      ArrayNode differences = one.putArray("differences");
      for (Difference difference : result.differences()) {
        differences
            .addObject()
            .put("field", difference.field())
            .put("expected", difference.expected())
            .put("got", difference.got());
      }
    }
    return document;
  }
}
