package dev.paramecium.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A JSON object of a vector file, which knows where it stands for the sake of its errors. */
final class Fields {

  private final String file;
  private final String path;
  private final JsonNode node;

  private Fields(String file, String path, JsonNode node) {
    this.file = file;
    this.path = path;
    this.node = node;
  }

  static Fields root(String file, JsonNode node) throws MalformedVectorException {
    if (!node.isObject()) {
      throw new MalformedVectorException(file + ": a vector is a JSON object");
    }
    return new Fields(file, "", node);
  }

  JsonNode json() {
    return node;
  }

  boolean has(String name) {
    return node.hasNonNull(name);
  }

  private String at(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  private MalformedVectorException wrong(String where, String rule) {
    return new MalformedVectorException(file + ": field " + where + " " + rule);
  }

  private JsonNode need(String name) throws MalformedVectorException {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      throw wrong(at(name), "is missing");
    }
    return value;
  }

  String text(String name) throws MalformedVectorException {
    JsonNode value = need(name);
    if (!value.isTextual()) {
      throw wrong(at(name), "must be a string, is " + value);
    }
    return value.textValue();
  }

  /** An empty string if the field is missing or null. */
  String optionalText(String name) throws MalformedVectorException {
    return has(name) ? text(name) : "";
  }

  long number(String name) throws MalformedVectorException {
    return number(at(name), need(name));
  }

  private long number(String where, JsonNode value) throws MalformedVectorException {
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw wrong(where, "must be a whole number, is " + value);
    }
    return value.longValue();
  }

  /** {@code fallback} if the field is missing or null. */
  long number(String name, long fallback) throws MalformedVectorException {
    return has(name) ? number(name) : fallback;
  }

  /** A number of 32 bits, signed or unsigned. */
  int word(String name) throws MalformedVectorException {
    long value = number(name);
    if (value < Integer.MIN_VALUE || value > 0xffff_ffffL) {
      throw wrong(at(name), "must fit into 32 bits, is " + value);
    }
    return (int) value;
  }

  /** A number from 0 to {@code max}. */
  int small(String name, int max) throws MalformedVectorException {
    long value = number(name);
    if (value < 0 || value > max) {
      throw wrong(at(name), "must be 0 to " + max + ", is " + value);
    }
    return (int) value;
  }

  /** True for {@code true} and for any number but 0. */
  boolean flag(String name) throws MalformedVectorException {
    JsonNode value = need(name);
    if (!value.isBoolean() && !value.isIntegralNumber()) {
      throw wrong(at(name), "must be true, false or a number, is " + value);
    }
    return value.asBoolean();
  }

  private <T> T parse(String name, String what, Function<String, T> parser)
      throws MalformedVectorException {
    String value = text(name);
    try {
      return parser.apply(value);
    } catch (IllegalArgumentException e) {
      throw wrong(at(name), "must be " + what + ", is \"" + value + "\"");
    }
  }

  Ipv4Address address(String name) throws MalformedVectorException {
    return parse(name, "an IPv4 address", Ipv4Address::parse);
  }

  Ipv4Prefix prefix(String name) throws MalformedVectorException {
    return parse(name, "an IPv4 prefix", Ipv4Prefix::parse);
  }

  MacAddress mac(String name) throws MalformedVectorException {
    return parse(name, "a MAC address", MacAddress::parse);
  }

  byte[] hex(String name) throws MalformedVectorException {
    return parse(name, "hexadecimal digits, two a byte", HexFormat.of()::parseHex);
  }

  Fields object(String name) throws MalformedVectorException {
    JsonNode value = need(name);
    if (!value.isObject()) {
      throw wrong(at(name), "must be an object, is " + value);
    }
    return new Fields(file, at(name), value);
  }

  /** The objects of a list; none if the field is missing. */
  List<Fields> objects(String name) throws MalformedVectorException {
    List<Fields> all = new ArrayList<>();
    if (!has(name)) {
      return all;
    }
    JsonNode list = list(name);
    for (int i = 0; i < list.size(); i++) {
      String where = at(name) + "[" + i + "]";
      if (!list.get(i).isObject()) {
        throw wrong(where, "must be an object, is " + list.get(i));
      }
      all.add(new Fields(file, where, list.get(i)));
    }
    return all;
  }

  List<Integer> numbers(String name) throws MalformedVectorException {
    List<Integer> all = new ArrayList<>();
    JsonNode list = list(name);
    for (int i = 0; i < list.size(); i++) {
      all.add((int) number(at(name) + "[" + i + "]", list.get(i)));
    }
    return all;
  }

  List<String> texts(String name) throws MalformedVectorException {
    List<String> all = new ArrayList<>();
    JsonNode list = list(name);
    for (int i = 0; i < list.size(); i++) {
      if (!list.get(i).isTextual()) {
        throw wrong(at(name) + "[" + i + "]", "must be a string, is " + list.get(i));
      }
      all.add(list.get(i).textValue());
    }
    return all;
  }

  private JsonNode list(String name) throws MalformedVectorException {
    JsonNode list = need(name);
    if (!list.isArray()) {
      throw wrong(at(name), "must be a list, is " + list);
    }
    return list;
  }

  /** The values of an object that are objects themselves, by their names. */
  Map<String, Fields> entries() throws MalformedVectorException {
    Map<String, Fields> all = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!entry.getValue().isObject()) {
        throw wrong(at(entry.getKey()), "must be an object, is " + entry.getValue());
      }
      all.put(entry.getKey(), new Fields(file, at(entry.getKey()), entry.getValue()));
    }
    return all;
  }

  List<String> names() {
    return node.properties().stream().map(Map.Entry::getKey).toList();
  }

  MalformedVectorException unknown(String name, String rule) {
    return wrong(at(name), rule);
  }

  /** What a name in this object would be called. */
  Ipv4Address addressName(String name) throws MalformedVectorException {
    try {
      return Ipv4Address.parse(name);
    } catch (IllegalArgumentException e) {
      throw wrong(at(name), "must be named by an IPv4 address");
    }
  }

  Ipv4Prefix prefixName(String name) throws MalformedVectorException {
    try {
      return Ipv4Prefix.parse(name);
    } catch (IllegalArgumentException e) {
      throw wrong(at(name), "must be named by an IPv4 prefix");
    }
  }
}
