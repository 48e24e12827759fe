package dev.paramecium.benchmark;

import java.util.List;
import java.util.Locale;

/**
 * Panels side by side, each with lines over a logarithmic axis of sizes and a common linear axis of
 * costs, as SVG.
 */
final class LinePlot {

  /** A curve over the last of the panel's {@code xs}, as many as it has {@code ys}. */
  record Line(String label, String colour, List<Double> ys) {}

  record Panel(String title, String xLabel, List<Integer> xs, List<Line> lines) {}

  private static final int WIDTH = 300;
  private static final int HEIGHT = 240;
  private static final int LEFT = 56;
  private static final int TOP = 56;
  private static final int BOTTOM = 64;
  private static final int GAP = 40;

  private LinePlot() {}

  static String svg(String title, String yLabel, List<Panel> panels) {
    double most = 0;
    for (Panel panel : panels) {
      for (Line line : panel.lines()) {
        most = Math.max(most, line.ys().stream().mapToDouble(y -> y).max().orElse(0));
      }
    }
    double step = Math.max(50, Math.ceil(most / 6 / 50) * 50);
    double top = Math.ceil(most / step) * step;
    int width = LEFT + panels.size() * (WIDTH + GAP);
    int height = TOP + HEIGHT + BOTTOM;
    StringBuilder out = new StringBuilder();
    out.append(
        format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
                + " height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">%n",
            width, height, width, height));
    out.append(format("<rect width=\"%d\" height=\"%d\" fill=\"white\"/>%n", width, height));
    out.append(text(LEFT, 20, "start", 15, title));
    out.append(
        format(
            "<text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>%n",
            TOP + HEIGHT / 2, yLabel));
    for (int i = 0; i < panels.size(); i++) {
      panel(out, panels.get(i), LEFT + i * (WIDTH + GAP), top, step);
    }
    return out.append("</svg>\n").toString();
  }

  private static void panel(StringBuilder out, Panel panel, int left, double top, double step) {
    out.append(text(left, TOP - 10, "start", 13, panel.title()));
    for (double y = 0; y <= top; y += step) {
      double at = y(y, top);
      out.append(
          format(
              "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>%n",
              left, at, left + WIDTH, at));
      out.append(text(left - 6, at + 4, "end", 11, format("%.0f", y)));
    }
    for (int i = 0; i < panel.xs().size(); i++) {
      out.append(text(x(panel, i, left), TOP + HEIGHT + 16, "middle", 10, size(panel.xs().get(i))));
    }
    out.append(text(left + WIDTH / 2.0, TOP + HEIGHT + 34, "middle", 11, panel.xLabel()));
    double labelAt = left;
    for (Line line : panel.lines()) {
      StringBuilder points = new StringBuilder();
      for (int i = 0; i < line.ys().size(); i++) {
        double x = x(panel, panel.xs().size() - line.ys().size() + i, left);
        double y = y(line.ys().get(i), top);
        points.append(format("%.1f,%.1f ", x, y));
        out.append(
            format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>%n", x, y, line.colour()));
      }
      out.append(
          format(
              "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>%n",
              points.toString().strip(), line.colour()));
      out.append(
          format(
              "<rect x=\"%.1f\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>%n",
              labelAt, TOP + HEIGHT + 44, line.colour()));
      out.append(text(labelAt + 14, TOP + HEIGHT + 53, "start", 11, line.label()));
      labelAt += 24 + line.label().length() * 6.0;
    }
  }

  private static double x(Panel panel, int index, int left) {
    double first = Math.log(panel.xs().getFirst());
    double last = Math.log(panel.xs().getLast());
    return left + 10 + (Math.log(panel.xs().get(index)) - first) / (last - first) * (WIDTH - 20);
  }

  private static double y(double value, double top) {
    return TOP + HEIGHT - value / top * HEIGHT;
  }

  /** {@code 64k}. */
  static String size(int entries) {
    return entries < 1000 ? Integer.toString(entries) : entries / 1000 + "k";
  }

  private static String text(double x, double y, String anchor, int size, String text) {
    return format(
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">%s</text>%n",
        x, y, anchor, size, text.replace("&", "&amp;").replace("<", "&lt;"));
  }

  private static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments).replace("\r\n", "\n");
  }
}
