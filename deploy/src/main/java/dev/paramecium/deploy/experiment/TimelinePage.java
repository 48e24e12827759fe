package dev.paramecium.deploy.experiment;

import dev.paramecium.deploy.experiment.Timeline.Answer;
import dev.paramecium.deploy.experiment.Timeline.Bar;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Verdicts as one HTML page that needs nothing else: for each a drawing of what happened when, and
 * what was violated.
 *
 * <pre>
 *   NodeChaos first   ....======..............
 *   policies          ..|.........|...........
 *   client            oooooxxxxxxooooooooooooo    answered, not answered
 *                     0 s       10 s      in sync
 * </pre>
 */
public final class TimelinePage {

  private static final int LEFT = 190;
  private static final int WIDTH = 760;
  private static final int ROW = 20;

  private TimelinePage() {}

  /** The page. */
  public static String of(List<Verdict> verdicts) {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Failure experiments</title><style>
        :root{color-scheme:light dark} body{font:14px system-ui,sans-serif;margin:2em;max-width:70em}
        svg text{font:11px system-ui,sans-serif;fill:currentColor} .fault{fill:#d98b1f} .stall{fill:#8886}
        .yes{fill:#2a8f5b} .no{fill:#c8372d} .policy{stroke:#4470c4;stroke-width:2} .sync{stroke:#2a8f5b;stroke-dasharray:3}
        .axis{stroke:#8888} .violated{color:#c8372d} li{margin:.2em 0}
        </style></head><body><h1>Failure experiments</h1>
        """);
    for (Verdict verdict : verdicts) {
      section(out, verdict);
    }
    return out.append("</body></html>\n").toString();
  }

  private static void section(StringBuilder out, Verdict verdict) {
    out.append(
        "<h2>%s, seed %d: %s</h2>%n<p>%s; %.1f s</p>%n"
            .formatted(
                escaped(verdict.name()),
                verdict.seed(),
                verdict.holds() ? "passed" : "<span class=\"violated\">failed</span>",
                escaped(String.join("; ", verdict.flows())),
                verdict.seconds()));
    drawing(out, verdict.timeline());
    for (Verdict.Case one : verdict.cases()) {
      if (!one.violations().isEmpty()) {
        out.append("<h3 class=\"violated\">Violated: ")
            .append(escaped(one.name()))
            .append("</h3><ul>");
        one.violations().forEach(v -> out.append("<li>").append(escaped(v)).append("</li>"));
        out.append("</ul>\n");
      }
    }
  }

  private static void drawing(StringBuilder out, Timeline timeline) {
    double end = Math.max(1, timeline.inSync());
    int rows = timeline.faults().size() + 1 + timeline.requests().size();
    int height = (rows + 2) * ROW;
    out.append(
        "<svg role=\"img\" aria-label=\"timeline\" viewBox=\"0 0 %d %d\" width=\"100%%\">%n"
            .formatted(LEFT + WIDTH + 60, height));
    for (Bar stall : timeline.stalls()) {
      bar(out, "stall", stall, end, 0, rows * ROW);
    }
    int y = 0;
    for (Bar fault : timeline.faults()) {
      label(out, fault.what(), y);
      bar(out, "fault", fault, end, y + 4, ROW - 8);
      y += ROW;
    }
    label(out, "policies", y);
    for (double change : timeline.policyChanges()) {
      line(out, "policy", x(change, end), y + 3, y + ROW - 3);
    }
    y += ROW;
    for (Map.Entry<String, List<Answer>> flow : timeline.requests().entrySet()) {
      label(out, flow.getKey(), y);
      for (Answer answer : flow.getValue()) {
        out.append(
            String.format(
                Locale.ROOT,
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%d\" r=\"3\"><title>%.2f s:"
                    + " %s</title></circle>",
                answer.delivered() ? "yes" : "no",
                x(answer.at(), end),
                y + ROW / 2,
                answer.at(),
                answer.delivered() ? "answered" : "not answered"));
      }
      y += ROW;
    }
    for (int tick = 0; tick <= 4; tick++) {
      double at = end * tick / 4;
      line(out, "axis", x(at, end), y, y + 5);
      out.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f s</text>",
              x(at, end),
              y + 18,
              at));
    }
    line(out, "sync", x(timeline.inSync(), end), 0, y);
    out.append("</svg>\n");
  }

  private static double x(double at, double end) {
    return LEFT + WIDTH * Math.min(at, end) / end;
  }

  private static void label(StringBuilder out, String text, int y) {
    out.append("<text x=\"0\" y=\"%d\">%s</text>".formatted(y + 14, escaped(text)));
  }

  private static void line(StringBuilder out, String kind, double x, int from, int to) {
    out.append(
        String.format(
            Locale.ROOT,
            "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
            kind,
            x,
            x,
            from,
            to));
  }

  private static void bar(StringBuilder out, String kind, Bar bar, double end, int y, int height) {
    out.append(
        String.format(
            Locale.ROOT,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\">"
                + "<title>%s, %.1f s to %.1f s</title></rect>",
            kind,
            x(bar.from(), end),
            y,
            Math.max(2, x(bar.to(), end) - x(bar.from(), end)),
            height,
            escaped(bar.what()),
            bar.from(),
            bar.to()));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
