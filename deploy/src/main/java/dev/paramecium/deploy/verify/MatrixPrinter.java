package dev.paramecium.deploy.verify;

import dev.paramecium.deploy.verify.Check.Pair;
import dev.paramecium.deploy.verify.Report.Outcome;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A step's outcomes as one table for each port: who asks down the side, who is asked along the top.
 */
public final class MatrixPrinter {

  /** What the signs mean. */
  public static final String LEGEND =
      "+ allowed   - denied   . not asked   ! otherwise than expected";

  /** A table that is wider has numbers along the top. */
  private static final int MAX_WIDTH = 100;

  private static final String RED = "\u001b[31m";
  private static final String GREEN = "\u001b[32m";
  private static final String RESET = "\u001b[0m";

  private final PrintStream out;
  private final boolean coloured;

  public MatrixPrinter(PrintStream out, boolean coloured) {
    this.out = out;
    this.coloured = coloured;
  }

  /** A step: how it ended, its tables, and each pair that is not as expected, with who decided. */
  public void print(Report.Step step) {
    int wrong = step.wrong().size();
    String end;
    if (!step.error().isEmpty()) {
      end = paint(RED, "cannot be carried out: " + step.error());
    } else if (step.outcomes().isEmpty()) {
      end = paint(GREEN, "done");
    } else {
      end =
          paint(
              wrong == 0 ? GREEN : RED,
              step.outcomes().size() - wrong + " of " + step.outcomes().size() + " as expected");
    }
    out.println("  " + step.name() + ": " + end + seconds(step));
    step.notes().forEach(note -> out.println("    note: " + note));
    byService(step.outcomes()).forEach(this::table);
    for (Outcome outcome : step.wrong()) {
      out.println("    " + paint(RED, outcome.sentence()));
      outcome.decisions().forEach(decision -> out.println("      " + decision));
      if (!outcome.allowed()) {
        out.println("      the probe says: " + outcome.how());
      }
    }
    out.flush();
  }

  private static String seconds(Report.Step step) {
    return String.format(
        Locale.ROOT, " (changes %.1f s, probes %.1f s)", step.changeSeconds(), step.probeSeconds());
  }

  private static Map<String, List<Outcome>> byService(List<Outcome> outcomes) {
    Map<String, List<Outcome>> byService = new LinkedHashMap<>();
    for (Outcome outcome : outcomes) {
      byService
          .computeIfAbsent(outcome.check().pair().service(), _ -> new ArrayList<>())
          .add(outcome);
    }
    return byService;
  }

  private void table(String service, List<Outcome> outcomes) {
    Map<Pair, Outcome> cells = new LinkedHashMap<>();
    Set<String> rows = new LinkedHashSet<>();
    Map<String, Destination> columns = new LinkedHashMap<>();
    for (Outcome outcome : outcomes) {
      Pair pair = outcome.check().pair();
      cells.put(pair, outcome);
      rows.add(pair.from().toString());
    }
    // Who asks comes first along the top, too, so that pods stand in one order both ways.
    for (String row : rows) {
      for (Outcome outcome : outcomes) {
        if (outcome.check().pair().to().toString().equals(row)) {
          columns.putIfAbsent(row, outcome.check().pair().to());
        }
      }
    }
    for (Outcome outcome : outcomes) {
      columns.putIfAbsent(outcome.check().pair().to().toString(), outcome.check().pair().to());
    }
    int side = Math.max(service.length(), rows.stream().mapToInt(String::length).max().orElse(0));
    int wide = side + columns.keySet().stream().mapToInt(name -> name.length() + 2).sum();
    List<String> heads = heads(columns.keySet(), wide > MAX_WIDTH);
    StringBuilder top = new StringBuilder("    " + pad(service, side));
    heads.forEach(head -> top.append("  ").append(head));
    out.println(top.toString().stripTrailing());
    Pair any = outcomes.getFirst().check().pair();
    for (String row : rows) {
      StringBuilder line = new StringBuilder("    " + pad(row, side));
      int column = 0;
      for (Destination to : columns.values()) {
        Pair pair = new Pair(PodName.parse(row), to, any.protocol(), any.port());
        Outcome outcome = cells.get(pair);
        line.append("  ").append(cell(outcome, heads.get(column++).length()));
      }
      out.println(line.toString().stripTrailing());
    }
  }

  private List<String> heads(Set<String> names, boolean numbered) {
    List<String> heads = new ArrayList<>();
    int number = 0;
    for (String name : names) {
      number++;
      heads.add(numbered ? pad(Integer.toString(number), 2) : name);
      if (numbered) {
        out.println("    " + pad(Integer.toString(number), 2) + " = " + name);
      }
    }
    return heads;
  }

  private String cell(@Nullable Outcome outcome, int width) {
    if (outcome == null) {
      return pad(".", width);
    }
    String sign = outcome.allowed() ? "+" : "-";
    return outcome.isAsExpected()
        ? pad(sign, width)
        : paint(RED, sign + "!") + " ".repeat(Math.max(0, width - 2));
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private String paint(String colour, String text) {
    return coloured ? colour + text + RESET : text;
  }
}
