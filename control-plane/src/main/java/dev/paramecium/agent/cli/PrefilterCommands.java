package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.prefilter.Prefilter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;

/** {@code cilium prefilter list|update|delete} ({@code cilium/cmd/prefilter_*.go}). */
final class PrefilterCommands {

  private static final String OFF =
      "Prefilter is not enabled in daemon: set option enable-xdp-prefilter=true";

  private PrefilterCommands() {}

  /**
   * @param prefilter null if it is off
   */
  static CompletionStage<CommandOutput> run(
      @Nullable Prefilter prefilter, Arguments arguments, String verb) {
    return switch (verb) {
      case "list", "ls" ->
          prefilter == null
              ? error("Cannot get CIDR list: [GET /prefilter][500] getPrefilterFailure  " + OFF)
              : prefilter
                  .list()
                  .thenApply(listing -> arguments.json() ? json(listing) : text(listing));
      case "update" -> change(prefilter, arguments, true);
      case "delete" -> change(prefilter, arguments, false);
      default ->
          error(
              "unknown command \""
                  + verb
                  + "\" for \"cilium prefilter\": use one of delete, list, update");
    };
  }

  private static CommandOutput text(Prefilter.Listing listing) {
    StringBuilder out = new StringBuilder("Revision: ").append(listing.revision()).append('\n');
    listing.deny().forEach(cidr -> out.append(cidr).append('\n'));
    return CommandOutput.of(out.toString());
  }

  /** {@code models.Prefilter}. */
  private static CommandOutput json(Prefilter.Listing listing) {
    ObjectNode spec = JsonNodeFactory.instance.objectNode();
    ArrayNode deny = spec.putArray("deny");
    listing.deny().forEach(cidr -> deny.add(cidr.toString()));
    spec.put("revision", listing.revision());
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("spec", spec);
    json.putObject("status").set("realized", spec.deepCopy());
    return Json.print(json);
  }

  private static CompletionStage<CommandOutput> change(
      @Nullable Prefilter prefilter, Arguments arguments, boolean update) {
    List<Ipv4Prefix> cidrs = new ArrayList<>();
    for (String text : arguments.values("cidr")) {
      Ipv4Prefix cidr = parsed(text);
      if (cidr == null) {
        return error("Cannot parse CIDR \"" + text + "\": invalid CIDR address: " + text);
      }
      cidrs.add(cidr);
    }
    String revision = arguments.value("revision", "0");
    if (!revision.matches("\\d{1,18}")) {
      return error(
          "invalid argument \"" + revision + "\" for \"--revision\" flag: use a number, 0 for any");
    }
    String failed =
        update
            ? "Cannot add/update prefilter: [PATCH /prefilter][500] patchPrefilterFailure  "
            : "Cannot delete prefilter: [DELETE /prefilter][500] deletePrefilterFailure  ";
    if (prefilter == null) {
      return error(failed + OFF);
    }
    long expected = Long.parseLong(revision);
    CompletionStage<Done> made =
        update ? prefilter.insert(expected, cidrs) : prefilter.delete(expected, cidrs);
    return made.handle(
        (_, failure) ->
            failure == null
                ? CommandOutput.of(
                    (update ? "Updated " : "Deleted ") + cidrs.size() + " prefilter entries\n")
                : CommandOutput.error(failed + KernelCalls.message(failure)));
  }

  private static @Nullable Ipv4Prefix parsed(String text) {
    try {
      return Ipv4Prefix.parse(text);
    } catch (IllegalArgumentException notACidr) {
      return null;
    }
  }

  private static CompletionStage<CommandOutput> error(String message) {
    return CompletableFuture.completedFuture(CommandOutput.error(message));
  }
}
