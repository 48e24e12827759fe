package dev.paramecium.inspect;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON as iproute2, bpftool and cilium lay it out. */
public enum JsonText {
  /** {@code ip -j -p}: blanks inside the brackets of arrays. */
  IPROUTE2(" "),
  /** {@code bpftool -p}: the closing bracket of an array on a line of its own. */
  BPFTOOL(null),
  /** Go's {@code json.MarshalIndent} with two blanks, as {@code cilium -o json} prints. */
  GO(null);

  private final @Nullable String inBrackets;

  JsonText(@Nullable String inBrackets) {
    this.inBrackets = inBrackets;
  }

  /** The document, without a newline at its end. */
  public String pretty(JsonNode node) {
    StringBuilder out = new StringBuilder();
    write(out, node, 0);
    return out.toString();
  }

  private void write(StringBuilder out, JsonNode node, int depth) {
    if (node.isObject()) {
      out.append('{');
      boolean first = true;
      for (Map.Entry<String, JsonNode> field : node.properties()) {
        out.append(first ? "" : ",");
        newLine(out, depth + 1).append('"').append(field.getKey()).append("\": ");
        write(out, field.getValue(), depth + 1);
        first = false;
      }
      if (!first) {
        newLine(out, depth);
      }
      out.append('}');
    } else if (node.isArray()) {
      out.append('[').append(inBrackets == null ? "" : inBrackets);
      Iterator<JsonNode> elements = node.iterator();
      boolean empty = !elements.hasNext();
      while (elements.hasNext()) {
        if (this == GO) {
          newLine(out, depth + 1);
        }
        write(out, elements.next(), depth + 1);
        out.append(elements.hasNext() ? "," : "");
      }
      if (inBrackets == null) {
        if (!empty) {
          newLine(out, depth);
        }
      } else if (!empty) {
        out.append(inBrackets);
      }
      out.append(']');
    } else {
      out.append(node);
    }
  }

  private StringBuilder newLine(StringBuilder out, int depth) {
    return out.append('\n').repeat(' ', (this == GO ? 2 : 4) * depth);
  }
}
