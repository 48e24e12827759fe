package dev.paramecium.deploy.whatif;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.TablePrinter;
import dev.paramecium.deploy.whatif.PolicyDiff.Change;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A {@link PolicyDiff} for people and for programs. */
public final class DiffPrinter {

  private DiffPrinter() {}

  /** A table of what changes, with the rule that would decide; then the notes. */
  public static void print(PolicyDiff diff, PrintStream out) {
    if (!diff.changes().isEmpty()) {
      List<List<String>> lines = new ArrayList<>();
      lines.add(List.of("FROM", "TO", "PORT", "NOW", "THEN", "BY"));
      for (Change change : diff.changes()) {
        List<String> by = news(change);
        lines.add(
            List.of(
                change.from(),
                change.to(),
                change.port(),
                word(change.allowedBefore()),
                word(change.allowedAfter()),
                by.getFirst()));
        by.stream().skip(1).forEach(rule -> lines.add(List.of("", "", "", "", "", rule)));
      }
      TablePrinter.print(lines, out);
      out.println();
    }
    diff.notes().forEach(note -> out.println("note: " + note));
    long opened = diff.changes().stream().filter(Change::allowedAfter).count();
    long closed = diff.changes().size() - opened;
    out.println(
        diff.changes().isEmpty()
            ? "Nobody would reach anybody otherwise than now."
            : closed + " closed, " + opened + " opened.");
  }

  /** What would open a connection is said of the side on which it is new. */
  private static List<String> news(Change change) {
    if (!change.allowedAfter()) {
      return change.becomes();
    }
    Set<String> news = new LinkedHashSet<>(change.becomes());
    change.was().forEach(news::remove);
    List<String> sides = change.was().stream().map(DiffPrinter::side).toList();
    List<String> turned = news.stream().filter(rule -> sides.contains(side(rule))).toList();
    return turned.isEmpty() ? change.becomes() : turned;
  }

  /** {@code shop/web: allow ingress}, without the verdict. */
  private static String side(String rule) {
    return rule.replaceFirst(": \\w+ (ingress|egress) .*", " $1");
  }

  private static String word(boolean allowed) {
    return allowed ? "allowed" : "denied";
  }

  /** {@code {changes: [{from, to, port, now, then, now_by[], then_by[]}], notes[]}}. */
  public static ObjectNode json(PolicyDiff diff) {
    ObjectNode json = ApiHttp.JSON.createObjectNode();
    ArrayNode changes = json.putArray("changes");
    for (Change change : diff.changes()) {
      ObjectNode one = changes.addObject();
      one.put("from", change.from()).put("to", change.to()).put("port", change.port());
      one.put("now", word(change.allowedBefore())).put("then", word(change.allowedAfter()));
      change.was().forEach(one.putArray("now_by")::add);
      change.becomes().forEach(one.putArray("then_by")::add);
    }
    diff.notes().forEach(json.putArray("notes")::add);
    return json;
  }
}
