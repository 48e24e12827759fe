package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A server's Table as kubectl prints it: upper-case headers, three spaces between columns, columns
 * of priority 1 only when wide.
 */
public final class TablePrinter {

  private static final int PADDING = 3;
  private static final int MIN_WIDTH = 6;

  private TablePrinter() {}

  public static void print(JsonNode table, boolean wide, boolean withNamespace, PrintStream out) {
    List<Integer> columns = new ArrayList<>();
    List<List<String>> lines = new ArrayList<>();
    List<String> header = new ArrayList<>();
    if (withNamespace) {
      header.add("NAMESPACE");
    }
    JsonNode definitions = table.path("columnDefinitions");
    for (int i = 0; i < definitions.size(); i++) {
      if (wide || definitions.get(i).path("priority").asInt() == 0) {
        columns.add(i);
        header.add(definitions.get(i).path("name").asText().toUpperCase(Locale.ROOT));
      }
    }
    lines.add(header);
    for (JsonNode row : table.path("rows")) {
      List<String> line = new ArrayList<>();
      if (withNamespace) {
        line.add(row.path("object").path("metadata").path("namespace").asText());
      }
      for (int column : columns) {
        line.add(row.path("cells").path(column).asText());
      }
      lines.add(line);
    }
    print(lines, out);
  }

  /** Lines of equally many cells; the last cell of a line is not padded. */
  public static void print(List<List<String>> lines, PrintStream out) {
    int count = lines.getFirst().size();
    int[] widths = new int[count];
    for (List<String> line : lines) {
      for (int i = 0; i < count; i++) {
        widths[i] = Math.max(Math.max(widths[i], MIN_WIDTH), line.get(i).length() + PADDING);
      }
    }
    for (List<String> line : lines) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < count; i++) {
        text.append(line.get(i));
        if (i < count - 1) {
          text.append(" ".repeat(widths[i] - line.get(i).length()));
        }
      }
      out.println(text);
    }
  }
}
