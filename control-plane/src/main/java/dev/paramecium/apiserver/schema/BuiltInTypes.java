package dev.paramecium.apiserver.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The built-in kinds' types, read from {@code kubernetes.schema}, with what {@code
 * kubernetes.descriptions} says about them.
 */
public final class BuiltInTypes {

  private static final Map<String, String> PACKAGES =
      Map.ofEntries(
          Map.entry("", "core"),
          Map.entry("apps", "apps"),
          Map.entry("batch", "batch"),
          Map.entry("networking.k8s.io", "networking"),
          Map.entry("policy", "policy"),
          Map.entry("rbac.authorization.k8s.io", "rbac"),
          Map.entry("scheduling.k8s.io", "scheduling"),
          Map.entry("storage.k8s.io", "storage"),
          Map.entry("autoscaling", "autoscaling"),
          Map.entry("discovery.k8s.io", "discovery"),
          Map.entry("coordination.k8s.io", "coordination"),
          Map.entry("authorization.k8s.io", "authorization"),
          Map.entry("authentication.k8s.io", "authentication"),
          Map.entry("apiextensions.k8s.io", "apiextensions"),
          Map.entry("cilium.io", "cilium"));

  private static final Map<String, Type.Struct> STRUCTS = read();

  private BuiltInTypes() {}

  /**
   * A built-in kind's type.
   *
   * @param group the API group, empty for core
   */
  public static Optional<Type.Struct> of(String group, String kind) {
    String name = PACKAGES.get(group);
    return name == null ? Optional.empty() : Optional.ofNullable(STRUCTS.get(name + "." + kind));
  }

  /** {@code metadata} of every object. */
  public static Type.Struct objectMeta() {
    return Objects.requireNonNull(STRUCTS.get("meta.ObjectMeta"));
  }

  /** The options of a deletion. */
  public static Type.Struct deleteOptions() {
    return Objects.requireNonNull(STRUCTS.get("meta.DeleteOptions"));
  }

  public static Collection<Type.Struct> all() {
    return Collections.unmodifiableCollection(STRUCTS.values());
  }

  private static Map<String, Type.Struct> read() {
    List<String> lines = lines("kubernetes.schema");
    Map<String, String> descriptions = descriptions();
    Map<String, Type.Struct> structs = new LinkedHashMap<>();
    declare(lines, descriptions, structs);
    String inPackage = "";
    String structName = "";
    for (String line : lines) {
      String[] words = line.strip().split(" ", -1);
      if (words[0].equals("package")) {
        inPackage = words[1];
      } else if (!line.startsWith(" ")) {
        structName = inPackage + "." + words[0];
      } else {
        Type.Struct struct = Objects.requireNonNull(structs.get(structName));
        String name = words[1].replace("!", "");
        String description = descriptions.getOrDefault(structName + "." + name, "");
        field(struct, words, inPackage, structs, description);
      }
    }
    requireAllUsed(descriptions, structs);
    return structs;
  }

  private static List<String> lines(String resource) {
    try (InputStream in = BuiltInTypes.class.getResourceAsStream(resource)) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Descriptions by {@code package.Struct} and {@code package.Struct.field}. */
  private static Map<String, String> descriptions() {
    Map<String, String> descriptions = new LinkedHashMap<>();
    for (String line : lines("kubernetes.descriptions")) {
      int colon = line.indexOf(": ");
      descriptions.put(line.substring(0, colon), line.substring(colon + 2));
    }
    return descriptions;
  }

  private static void requireAllUsed(
      Map<String, String> descriptions, Map<String, Type.Struct> structs) {
    for (String described : descriptions.keySet()) {
      int dot = described.indexOf('.', described.indexOf('.') + 1);
      Type.Struct struct = structs.get(dot < 0 ? described : described.substring(0, dot));
      if (struct == null || dot >= 0 && struct.field(described.substring(dot + 1)) == null) {
        throw new IllegalStateException(
            "kubernetes.descriptions has " + described + ", which kubernetes.schema does not have");
      }
    }
  }

  /** Structs refer to each other, so all are there before the first has fields. */
  private static void declare(
      List<String> lines, Map<String, String> descriptions, Map<String, Type.Struct> structs) {
    String inPackage = "";
    String prefix = "";
    for (String line : lines) {
      String[] words = line.split(" ", -1);
      if (words[0].equals("package")) {
        inPackage = words[1];
        prefix = words[2];
      } else if (!line.startsWith(" ")) {
        boolean atomic = words.length > 1 && words[1].equals("atomic");
        String name = inPackage + "." + words[0];
        structs.put(
            name,
            new Type.Struct(
                prefix + "." + words[0], atomic, false, descriptions.getOrDefault(name, "")));
      }
    }
  }

  private static void field(
      Type.Struct struct,
      String[] words,
      String inPackage,
      Map<String, Type.Struct> structs,
      String description) {
    int number = Integer.parseInt(words[0]);
    List<String> flags = List.of(words).subList(3, words.length);
    Type type = type(words[2], flags, inPackage, structs);
    if (words[1].equals("-")) {
      struct.embed(new Type.Field("", number, type, false, false, ""));
      return;
    }
    boolean required = words[1].endsWith("!");
    String name = required ? words[1].substring(0, words[1].length() - 1) : words[1];
    struct.add(
        new Type.Field(name, number, type, required, flags.contains("retainKeys"), description));
  }

  private static Type type(
      String text, List<String> flags, String inPackage, Map<String, Type.Struct> structs) {
    if (text.startsWith("[]")) {
      return new Type.ListOf(type(text.substring(2), List.of(), inPackage, structs), merge(flags));
    }
    if (text.startsWith("{}")) {
      return new Type.MapOf(
          type(text.substring(2), List.of(), inPackage, structs), flags.contains("atomic"));
    }
    return switch (text) {
      case "object" -> Type.ANY;
      case "string" -> new Type.Scalar(Type.Format.STRING);
      case "int32" -> new Type.Scalar(Type.Format.INT32);
      case "int64" -> new Type.Scalar(Type.Format.INT64);
      case "bool" -> new Type.Scalar(Type.Format.BOOL);
      case "bytes" -> new Type.Scalar(Type.Format.BYTES);
      case "time" -> new Type.Scalar(Type.Format.TIME);
      case "microTime" -> new Type.Scalar(Type.Format.MICRO_TIME);
      case "quantity" -> new Type.Scalar(Type.Format.QUANTITY);
      case "intOrString" -> new Type.Scalar(Type.Format.INT_OR_STRING);
      default -> {
        Type.Struct struct = structs.get(text.contains(".") ? text : inPackage + "." + text);
        if (struct == null) {
          throw new IllegalStateException("kubernetes.schema does not say what " + text + " is");
        }
        yield struct;
      }
    };
  }

  private static Type.Merge merge(List<String> flags) {
    String strategic = "";
    List<String> keys = List.of();
    for (String flag : flags) {
      if (flag.startsWith("merge=")) {
        strategic = flag.substring(6);
      } else if (flag.startsWith("keys=")) {
        keys = List.of(flag.substring(5).split(",", -1));
      }
    }
    if (keys.isEmpty() && !strategic.isEmpty() && !flags.contains("atomic")) {
      keys = List.of(strategic);
    }
    return new Type.Merge(strategic, keys, flags.contains("set"));
  }
}
