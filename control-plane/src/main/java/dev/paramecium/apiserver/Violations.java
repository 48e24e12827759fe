package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.ApiReply;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What is wrong with an object, field by field, in the words of {@code
 * apimachinery/pkg/util/validation/field}.
 */
final class Violations {

  private static final Pattern SUBDOMAIN =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern LABEL_KEY =
      Pattern.compile("([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?");
  private static final Pattern LABEL_VALUE =
      Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?");
  private static final Pattern PORT_NAME = Pattern.compile("(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*");
  private static final Pattern LABEL_1035 = Pattern.compile("[a-z]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern ADDRESS_4 =
      Pattern.compile("((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(?!$)|$)){4}");
  private static final Pattern ADDRESS_6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
  private static final Pattern PREFIX_LENGTH = Pattern.compile("[0-9]{1,3}");
  private static final int MAX_SUBDOMAIN = 253;
  private static final int MAX_LABEL = 63;
  private static final int MAX_PORT = 65535;
  private static final List<String> PROTOCOLS = List.of("SCTP", "TCP", "UDP");

  private final List<ApiReply.Cause> found = new ArrayList<>();

  void required(String field) {
    add("FieldValueRequired", field, "Required value");
  }

  void required(String field, String why) {
    add("FieldValueRequired", field, "Required value: " + why);
  }

  void invalid(String field, String value, String rule) {
    add("FieldValueInvalid", field, "Invalid value: \"" + value + "\": " + rule);
  }

  /** A value that is no text stands as JSON does. */
  void invalid(String field, JsonNode value, String rule) {
    if (value.isTextual()) {
      invalid(field, value.asText(), rule);
    } else {
      add("FieldValueInvalid", field, "Invalid value: " + value + ": " + rule);
    }
  }

  void notFound(String field, String value) {
    add("FieldValueNotFound", field, "Not found: \"" + value + "\"");
  }

  void notSupported(String field, String value, List<String> supported) {
    add(
        "FieldValueNotSupported",
        field,
        "Unsupported value: \""
            + value
            + "\": supported values: "
            + String.join(", ", supported.stream().map(s -> "\"" + s + "\"").toList()));
  }

  void duplicate(String field, String value) {
    add("FieldValueDuplicate", field, "Duplicate value: \"" + value + "\"");
  }

  void forbidden(String field, String why) {
    add("FieldValueForbidden", field, "Forbidden: " + why);
  }

  private void add(String reason, String field, String message) {
    found.add(new ApiReply.Cause(reason, message, field));
  }

  /** A port number from 1 to 65535. */
  void port(String field, JsonNode port) {
    if (port.asInt() < 1 || port.asInt() > MAX_PORT) {
      invalid(field, port, "must be between 1 and 65535, inclusive");
    }
  }

  void protocol(String field, String protocol) {
    if (!PROTOCOLS.contains(protocol)) {
      notSupported(field, protocol, PROTOCOLS);
    }
  }

  void tooLong(String field, int bytes) {
    add("FieldValueTooLong", field, "Too long: must have at most " + bytes + " bytes");
  }

  /** RFC 1035 label: names of services. */
  void dnsLabel1035(String field, String value) {
    if (value.length() > MAX_LABEL || !LABEL_1035.matcher(value).matches()) {
      invalid(
          field,
          value,
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with"
              + " an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',"
              + "  or 'abc-123', regex used for validation is '"
              + LABEL_1035.pattern()
              + "')");
    }
  }

  void cidr(String field, String value) {
    int slash = value.indexOf('/');
    boolean six = value.contains(":");
    Pattern address = six ? ADDRESS_6 : ADDRESS_4;
    if (slash < 0
        || !address.matcher(value.substring(0, slash)).matches()
        || !PREFIX_LENGTH.matcher(value.substring(slash + 1)).matches()
        || Integer.parseInt(value.substring(slash + 1)) > (six ? 128 : 32)) {
      invalid(field, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    }
  }

  /** Refuses a change of a field that stays as it was made. */
  void immutable(String field, JsonNode before, JsonNode now) {
    if (!before.equals(now)) {
      invalid(field, now, "field is immutable");
    }
  }

  /** RFC 1123 subdomain, the form of most names. */
  void subdomain(String field, String value) {
    if (value.length() > MAX_SUBDOMAIN || !SUBDOMAIN.matcher(value).matches()) {
      invalid(
          field,
          value,
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-'"
              + " or '.', and must start and end with an alphanumeric character (e.g."
              + " 'example.com', regex used for validation is '"
              + SUBDOMAIN.pattern()
              + "')");
    }
  }

  /** RFC 1123 label: names of namespaces and containers. */
  void label(String field, String value) {
    if (value.length() > MAX_LABEL || !LABEL.matcher(value).matches()) {
      invalid(
          field,
          value,
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-',"
              + " and must start and end with an alphanumeric character (e.g. 'my-name',  or"
              + " '123-abc', regex used for validation is '"
              + LABEL.pattern()
              + "')");
    }
  }

  /** A name with an optional prefix, as keys of labels and types of conditions are. */
  void qualifiedName(String field, String name) {
    if (!LABEL_KEY.matcher(name).matches()
        || name.substring(name.indexOf('/') + 1).length() > MAX_LABEL) {
      invalid(
          field,
          name,
          "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and"
              + " end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc',"
              + " regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
    }
  }

  /** The name of a port (IANA_SVC_NAME), or its number. */
  void portOrName(String field, JsonNode port) {
    if (!port.isTextual()) {
      port(field, port);
    } else if (port.asText().length() > 15 || !PORT_NAME.matcher(port.asText()).matches()) {
      invalid(
          field,
          port,
          "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), at least one"
              + " letter, and at most 15 of them");
    }
  }

  /** The syntax of {@code metadata.labels}. */
  void labels(String field, JsonNode labels) {
    labels
        .properties()
        .forEach(
            label -> {
              String key = label.getKey();
              if (!LABEL_KEY.matcher(key).matches()
                  || key.substring(key.indexOf('/') + 1).length() > MAX_LABEL) {
                invalid(
                    field,
                    key,
                    "name part must consist of alphanumeric characters, '-', '_' or '.', and must"
                        + " start and end with an alphanumeric character");
              }
              String value = label.getValue().asText();
              if (!label.getValue().isTextual()
                  || value.length() > MAX_LABEL
                  || !LABEL_VALUE.matcher(value).matches()) {
                invalid(
                    field,
                    value,
                    "a valid label must be an empty string or consist of alphanumeric characters,"
                        + " '-', '_' or '.', and must start and end with an alphanumeric"
                        + " character");
              }
            });
  }

  boolean isEmpty() {
    return found.isEmpty();
  }

  List<ApiReply.Cause> causes() {
    return List.copyOf(found);
  }

  /** One violation as it is, several in brackets, as the API server writes them. */
  String text() {
    List<String> texts = found.stream().map(c -> c.field() + ": " + c.message()).toList();
    return texts.size() == 1 ? texts.getFirst() : "[" + String.join(", ", texts) + "]";
  }
}
