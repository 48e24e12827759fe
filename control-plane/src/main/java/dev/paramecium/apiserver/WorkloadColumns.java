package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The columns of {@code apps} and {@code batch}. */
final class WorkloadColumns {

  private static final String TEMPLATE = "/spec/template/spec/containers";
  private static final String JOB_TEMPLATE = "/spec/jobTemplate/spec/template/spec/containers";

  private WorkloadColumns() {}

  static final List<ServedKind.Column> DEPLOYMENT =
      with(
          List.of(
              Columns.NAME,
              Columns.column(
                  "Ready",
                  (object, _) ->
                      object.at("/status/readyReplicas").asInt()
                          + "/"
                          + object.at("/spec/replicas").asInt()),
              Columns.count("Up-to-date", "/status/updatedReplicas"),
              Columns.count("Available", "/status/availableReplicas"),
              Columns.AGE),
          containers(TEMPLATE),
          images(TEMPLATE),
          selector());

  static final List<ServedKind.Column> REPLICA_SET =
      with(
          List.of(
              Columns.NAME,
              Columns.count("Desired", "/spec/replicas"),
              Columns.count("Current", "/status/replicas"),
              Columns.count("Ready", "/status/readyReplicas"),
              Columns.AGE),
          containers(TEMPLATE),
          images(TEMPLATE),
          selector());

  static final List<ServedKind.Column> DAEMON_SET =
      with(
          List.of(
              Columns.NAME,
              Columns.count("Desired", "/status/desiredNumberScheduled"),
              Columns.count("Current", "/status/currentNumberScheduled"),
              Columns.count("Ready", "/status/numberReady"),
              Columns.count("Up-to-date", "/status/updatedNumberScheduled"),
              Columns.count("Available", "/status/numberAvailable"),
              Columns.column(
                  "Node Selector",
                  (object, _) -> labels(object.at("/spec/template/spec/nodeSelector"))),
              Columns.AGE),
          containers(TEMPLATE),
          images(TEMPLATE),
          selector());

  static final List<ServedKind.Column> STATEFUL_SET =
      with(
          List.of(
              Columns.NAME,
              Columns.column(
                  "Ready",
                  (object, _) ->
                      object.at("/status/readyReplicas").asInt()
                          + "/"
                          + object.at("/spec/replicas").asInt()),
              Columns.AGE),
          containers(TEMPLATE),
          images(TEMPLATE));

  static final List<ServedKind.Column> CONTROLLER_REVISION =
      List.of(
          Columns.NAME,
          Columns.column("Controller", (object, _) -> controller(object)),
          Columns.count("Revision", "/revision"),
          Columns.AGE);

  static final List<ServedKind.Column> JOB =
      with(
          List.of(
              Columns.NAME,
              Columns.column("Completions", (object, _) -> completions(object)),
              Columns.column("Duration", WorkloadColumns::duration),
              Columns.AGE),
          containers(TEMPLATE),
          images(TEMPLATE),
          selector());

  static final List<ServedKind.Column> CRON_JOB =
      with(
          List.of(
              Columns.NAME,
              Columns.at("Schedule", "/spec/schedule"),
              Columns.column(
                  "Suspend",
                  (object, _) -> object.at("/spec/suspend").asBoolean() ? "True" : "False"),
              Columns.integer(
                  "Active", (object, _) -> Integer.toString(object.at("/status/active").size())),
              Columns.column(
                  "Last Schedule",
                  (object, now) ->
                      object.at("/status/lastScheduleTime").isMissingNode()
                          ? Columns.NONE
                          : Columns.since(object.text("/status/lastScheduleTime"), now)),
              Columns.AGE),
          containers(JOB_TEMPLATE),
          images(JOB_TEMPLATE),
          Columns.wide(
              "Selector",
              (object, _) -> selectorText(object.at("/spec/jobTemplate/spec/selector"))));

  private static List<ServedKind.Column> with(
      List<ServedKind.Column> columns, ServedKind.Column... wide) {
    List<ServedKind.Column> all = new ArrayList<>(columns);
    all.addAll(List.of(wide));
    return List.copyOf(all);
  }

  private static ServedKind.Column containers(String pointer) {
    return Columns.wide("Containers", (object, _) -> each(object.at(pointer), "name"));
  }

  private static ServedKind.Column images(String pointer) {
    return Columns.wide("Images", (object, _) -> each(object.at(pointer), "image"));
  }

  private static ServedKind.Column selector() {
    return Columns.wide("Selector", (object, _) -> selectorText(object.at("/spec/selector")));
  }

  private static String each(JsonNode list, String field) {
    List<String> values = new ArrayList<>();
    list.forEach(element -> values.add(element.path(field).asText()));
    return String.join(",", values);
  }

  /** {@code a=b,c=d}, or {@code <none>}. */
  static String labels(JsonNode labels) {
    Map<String, String> sorted = new TreeMap<>();
    labels.properties().forEach(label -> sorted.put(label.getKey(), label.getValue().asText()));
    return sorted.isEmpty()
        ? Columns.NONE
        : String.join(
            ",", sorted.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList());
  }

  /** {@code metav1.FormatLabelSelector}. */
  static String selectorText(JsonNode selector) {
    List<String> requirements = new ArrayList<>();
    if (!selector.path("matchLabels").isEmpty()) {
      requirements.add(labels(selector.path("matchLabels")));
    }
    for (JsonNode expression : selector.path("matchExpressions")) {
      List<String> values = new ArrayList<>();
      expression.path("values").forEach(value -> values.add(value.asText()));
      String key = expression.path("key").asText();
      String in = "(" + String.join(",", values.stream().sorted().toList()) + ")";
      requirements.add(
          switch (expression.path("operator").asText()) {
            case "In" -> key + " in " + in;
            case "NotIn" -> key + " notin " + in;
            case "DoesNotExist" -> "!" + key;
            default -> key;
          });
    }
    return requirements.isEmpty() ? Columns.NONE : String.join(",", requirements);
  }

  private static String controller(KubeObject object) {
    for (JsonNode owner : object.at("/metadata/ownerReferences")) {
      if (owner.path("controller").asBoolean()) {
        String apiVersion = owner.path("apiVersion").asText();
        int slash = apiVersion.indexOf('/');
        return owner.path("kind").asText().toLowerCase(java.util.Locale.ROOT)
            + (slash < 0 ? "" : "." + apiVersion.substring(0, slash))
            + "/"
            + owner.path("name").asText();
      }
    }
    return Columns.NONE;
  }

  private static String completions(KubeObject job) {
    int succeeded = job.at("/status/succeeded").asInt();
    if (job.at("/spec/completions").isNumber()) {
      return succeeded + "/" + job.at("/spec/completions").asInt();
    }
    int parallelism = job.at("/spec/parallelism").asInt();
    return parallelism > 1 ? succeeded + "/1 of " + parallelism : succeeded + "/1";
  }

  private static String duration(KubeObject job, Instant now) {
    try {
      Instant start = Instant.parse(job.text("/status/startTime"));
      String completed = job.text("/status/completionTime");
      return Columns.duration(
          Duration.between(start, completed.isEmpty() ? now : Instant.parse(completed)));
    } catch (DateTimeParseException e) {
      return "";
    }
  }
}
