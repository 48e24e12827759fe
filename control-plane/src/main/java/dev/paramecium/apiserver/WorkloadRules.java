package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * The kinds that make pods from a template: {@code pkg/apis/apps/v1/defaults.go}, {@code
 * pkg/apis/apps/validation}.
 */
final class WorkloadRules implements ServedKind.Rules {

  private static final int PROGRESS_SECONDS = 600;
  private static final int HISTORY = 10;
  private static final String QUARTER = "25%";

  static final ServedKind.Rules DEPLOYMENT =
      new WorkloadRules(
          spec -> {
            Defaults.number(spec, "replicas", 1);
            Defaults.number(spec, "revisionHistoryLimit", HISTORY);
            Defaults.number(spec, "progressDeadlineSeconds", PROGRESS_SECONDS);
            ObjectNode strategy = Defaults.object(spec, "strategy");
            Defaults.text(strategy, "type", "RollingUpdate");
            if (strategy.path("type").asText().equals("RollingUpdate")) {
              ObjectNode rolling = Defaults.object(strategy, "rollingUpdate");
              Defaults.text(rolling, "maxUnavailable", QUARTER);
              Defaults.text(rolling, "maxSurge", QUARTER);
            }
          },
          (spec, violations) -> {
            JsonNode strategy = spec.path("strategy");
            String type = strategy.path("type").asText();
            if (!List.of("Recreate", "RollingUpdate").contains(type)) {
              violations.notSupported(
                  "spec.strategy.type", type, List.of("Recreate", "RollingUpdate"));
            }
            if (type.equals("Recreate") && strategy.path("rollingUpdate").isObject()) {
              violations.forbidden(
                  "spec.strategy.rollingUpdate",
                  "may not be specified when strategy `type` is 'Recreate'");
            }
            JsonNode rolling = strategy.path("rollingUpdate");
            if (isZero(rolling.path("maxSurge")) && isZero(rolling.path("maxUnavailable"))) {
              violations.invalid(
                  "spec.strategy.rollingUpdate.maxUnavailable",
                  rolling.path("maxUnavailable"),
                  "may not be 0 when `maxSurge` is 0");
            }
          },
          List.of("selector"));

  static final ServedKind.Rules REPLICA_SET =
      new WorkloadRules(
          spec -> Defaults.number(spec, "replicas", 1), (_, _) -> {}, List.of("selector"));

  static final ServedKind.Rules DAEMON_SET =
      new WorkloadRules(
          spec -> {
            Defaults.number(spec, "revisionHistoryLimit", HISTORY);
            ObjectNode strategy = Defaults.object(spec, "updateStrategy");
            Defaults.text(strategy, "type", "RollingUpdate");
            if (strategy.path("type").asText().equals("RollingUpdate")) {
              ObjectNode rolling = Defaults.object(strategy, "rollingUpdate");
              Defaults.number(rolling, "maxUnavailable", 1);
              Defaults.number(rolling, "maxSurge", 0);
            }
          },
          (_, _) -> {},
          List.of("selector"));

  static final ServedKind.Rules STATEFUL_SET =
      new WorkloadRules(
          spec -> {
            Defaults.number(spec, "replicas", 1);
            Defaults.number(spec, "revisionHistoryLimit", HISTORY);
            Defaults.text(spec, "podManagementPolicy", "OrderedReady");
            ObjectNode strategy = Defaults.object(spec, "updateStrategy");
            Defaults.text(strategy, "type", "RollingUpdate");
            if (strategy.path("type").asText().equals("RollingUpdate")) {
              Defaults.number(Defaults.object(strategy, "rollingUpdate"), "partition", 0);
            }
          },
          (_, _) -> {},
          List.of("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"));

  static final ServedKind.Rules CRON_JOB =
      new ServedKind.Rules() {
        @Override
        public void setDefaults(ObjectNode object) {
          ObjectNode spec = object.withObject("/spec");
          Defaults.text(spec, "concurrencyPolicy", "Allow");
          Defaults.flag(spec, "suspend", false);
          Defaults.number(spec, "successfulJobsHistoryLimit", 3);
          Defaults.number(spec, "failedJobsHistoryLimit", 1);
          Defaults.ifObject(
              spec.path("jobTemplate").path("spec").path("template"),
              "spec",
              PodTemplates::setDefaults);
        }

        @Override
        public void validate(KubeObject object, Violations violations) {
          if (object.text("/spec/schedule").isEmpty()) {
            violations.required("spec.schedule");
          }
          PodTemplates.validate(
              "spec.jobTemplate.spec.template.spec",
              object.at("/spec/jobTemplate/spec/template/spec"),
              violations);
        }
      };

  private interface SpecDefaults {
    void set(ObjectNode spec);
  }

  private final SpecDefaults defaults;
  private final BiConsumer<JsonNode, Violations> checks;
  private final List<String> immutable;

  private WorkloadRules(
      SpecDefaults defaults, BiConsumer<JsonNode, Violations> checks, List<String> immutable) {
    this.defaults = defaults;
    this.checks = checks;
    this.immutable = immutable;
  }

  @Override
  public void setDefaults(ObjectNode object) {
    ObjectNode spec = object.withObject("/spec");
    defaults.set(spec);
    PodTemplates.setDefaults(spec.withObject("/template/spec"));
  }

  private static boolean isZero(JsonNode value) {
    return value.isNumber() && value.asInt() == 0 || value.asText().equals("0%");
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    JsonNode spec = object.at("/spec");
    validateSelector(spec, violations);
    if (spec.path("replicas").asInt() < 0) {
      violations.invalid(
          "spec.replicas", spec.path("replicas"), "must be greater than or equal to 0");
    }
    checks.accept(spec, violations);
    violations.labels(
        "spec.template.labels", spec.path("template").path("metadata").path("labels"));
    PodTemplates.validate("spec.template.spec", spec.path("template").path("spec"), violations);
    String restarts = spec.path("template").path("spec").path("restartPolicy").asText();
    if (List.of("OnFailure", "Never").contains(restarts)) {
      violations.notSupported("spec.template.spec.restartPolicy", restarts, List.of("Always"));
    }
  }

  private static void validateSelector(JsonNode spec, Violations violations) {
    JsonNode selector = spec.path("selector");
    JsonNode labels = spec.path("template").path("metadata").path("labels");
    if (!selector.isObject()) {
      violations.required("spec.selector");
      return;
    }
    if (selector.path("matchLabels").isEmpty() && selector.path("matchExpressions").isEmpty()) {
      violations.invalid("spec.selector", selector, "empty selector is invalid for workloads");
      return;
    }
    for (Map.Entry<String, JsonNode> label : selector.path("matchLabels").properties()) {
      if (!label.getValue().equals(labels.path(label.getKey()))) {
        violations.invalid(
            "spec.template.metadata.labels",
            labels.isMissingNode()
                ? com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode()
                : labels,
            "`selector` does not match template `labels`");
        return;
      }
    }
  }

  @Override
  public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    for (String field : immutable) {
      violations.immutable("spec." + field, old.at("/spec/" + field), now.at("/spec/" + field));
    }
  }
}
