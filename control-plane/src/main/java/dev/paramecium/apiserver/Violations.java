package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
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
  private static final int MAX_SUBDOMAIN = 253;
  private static final int MAX_LABEL = 63;

  private final List<String> found = new ArrayList<>();

  void required(String field) {
    found.add(field + ": Required value");
  }

  void invalid(String field, String value, String rule) {
    found.add(field + ": Invalid value: \"" + value + "\": " + rule);
  }

  void notSupported(String field, String value, List<String> supported) {
    found.add(
        field
            + ": Unsupported value: \""
            + value
            + "\": supported values: "
            + String.join(", ", supported.stream().map(s -> "\"" + s + "\"").toList()));
  }

  void duplicate(String field, String value) {
    found.add(field + ": Duplicate value: \"" + value + "\"");
  }

  void forbidden(String field, String why) {
    found.add(field + ": Forbidden: " + why);
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

  /** One violation as it is, several in brackets, as the API server writes them. */
  String text() {
    return found.size() == 1 ? found.getFirst() : "[" + String.join(", ", found) + "]";
  }
}
