package dev.paramecium.abi;

import java.util.ArrayList;
import java.util.List;

/**
 * Aligns columns as Go's {@code text/tabwriter} does with blanks for padding, which is how Cilium's
 * command-line tools print tables. A tab ends a cell; the text after a line's last tab is no cell
 * and widens no column. A column is a run of consecutive lines that have that cell.
 */
public final class TabWriter {

  private final int minWidth;
  private final int padding;
  private final List<String[]> lines = new ArrayList<>();

  /**
   * @param minWidth of a cell, padding included: 5 in most of Cilium's tables
   * @param padding blanks after the widest cell of a column: 3 in all of Cilium's tables
   */
  public TabWriter(int minWidth, int padding) {
    this.minWidth = minWidth;
    this.padding = padding;
  }

  /** {@code tabwriter.NewWriter(os.Stdout, 5, 0, 3, ' ', 0)}: what most of Cilium's tables use. */
  public TabWriter() {
    this(5, 3);
  }

  /** One line, without its newline; cells end with a tab. */
  public TabWriter line(String line) {
    lines.add(line.split("\t", -1));
    return this;
  }

  /** A line whose cells all end with a tab but for the last. */
  public TabWriter row(String... cells) {
    return line(String.join("\t", cells));
  }

  /** Every line, aligned, each ending with a newline. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    format(out, new ArrayList<>(), 0, lines.size());
    return out.toString();
  }

  /** Prints lines {@code from} to {@code to}; {@code widths} are those of the columns so far. */
  private void format(StringBuilder out, List<Integer> widths, int from, int to) {
    int column = widths.size();
    int printed = from;
    for (int i = from; i < to; i++) {
      if (column >= lines.get(i).length - 1) {
        continue;
      }
      // A block of lines that have this column starts here: what stands before is done.
      print(out, widths, printed, i);
      int end = i;
      int width = minWidth;
      while (end < to && column < lines.get(end).length - 1) {
        String cell = lines.get(end)[column];
        width = Math.max(width, cell.codePointCount(0, cell.length()) + padding);
        end++;
      }
      widths.add(width);
      format(out, widths, i, end);
      widths.removeLast();
      printed = end;
      i = end - 1;
    }
    print(out, widths, printed, to);
  }

  private void print(StringBuilder out, List<Integer> widths, int from, int to) {
    for (int i = from; i < to; i++) {
      String[] cells = lines.get(i);
      for (int c = 0; c < cells.length; c++) {
        out.append(cells[c]);
        if (c < widths.size() && c < cells.length - 1) {
          out.repeat(' ', widths.get(c) - cells[c].codePointCount(0, cells[c].length()));
        }
      }
      out.append('\n');
    }
  }
}
