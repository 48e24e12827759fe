package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.apiserver.ServedKind;
import java.time.Instant;
import java.util.List;

/** Objects as a {@code meta.k8s.io/v1 Table}: what kubectl prints. */
final class Tables {

  private Tables() {}

  /**
   * A table.
   *
   * @param resourceVersion the list's, or the object's
   * @param carried what a row has beside its cells
   */
  static ObjectNode of(
      ServedKind kind,
      List<KubeObject> objects,
      long resourceVersion,
      RowObject carried,
      Instant now) {
    ObjectNode table = JsonNodeFactory.instance.objectNode();
    table.put("kind", "Table").put("apiVersion", "meta.k8s.io/v1");
    table.putObject("metadata").put("resourceVersion", Long.toString(resourceVersion));
    ArrayNode definitions = table.putArray("columnDefinitions");
    for (ServedKind.Column column : kind.columns()) {
      definitions
          .addObject()
          .put("name", column.name())
          .put("type", column.type())
          .put("format", column.format())
          .put("description", "")
          .put("priority", column.priority());
    }
    ArrayNode rows = table.putArray("rows");
    for (KubeObject object : objects) {
      ObjectNode row = rows.addObject();
      ArrayNode cells = row.putArray("cells");
      for (ServedKind.Column column : kind.columns()) {
        add(cells, column, column.cell().of(object, now));
      }
      carry(row, object, carried);
    }
    return table;
  }

  private static void carry(ObjectNode row, KubeObject object, RowObject carried) {
    switch (carried) {
      case NONE -> {}
      case METADATA -> {
        ObjectNode partial = row.putObject("object");
        partial.put("kind", "PartialObjectMetadata").put("apiVersion", "meta.k8s.io/v1");
        partial.set("metadata", object.at("/metadata"));
      }
      case OBJECT -> row.set("object", object.json());
    }
  }

  private static void add(ArrayNode cells, ServedKind.Column column, String text) {
    if (column.type().equals("integer") && text.matches("-?[0-9]{1,18}")) {
      cells.add(Long.parseLong(text));
    } else {
      cells.add(text);
    }
  }
}
