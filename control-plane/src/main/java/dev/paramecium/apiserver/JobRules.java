package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.List;

/** {@code batch/v1/Job}: it selects its pods by its own uid, unless told by what. */
final class JobRules implements ServedKind.Rules {

  private static final int BACK_OFF_LIMIT = 6;

  @Override
  public void setDefaults(ObjectNode object) {
    ObjectNode spec = object.withObject("/spec");
    if (Defaults.lacks(spec, "completions") && Defaults.lacks(spec, "parallelism")) {
      spec.put("completions", 1);
    }
    Defaults.number(spec, "parallelism", 1);
    Defaults.number(spec, "backoffLimit", BACK_OFF_LIMIT);
    Defaults.text(spec, "completionMode", "NonIndexed");
    Defaults.flag(spec, "suspend", false);
    PodTemplates.setDefaults(spec.withObject("/template/spec"));
    if (!spec.path("manualSelector").asBoolean() && Defaults.lacks(spec, "selector")) {
      String uid = object.path("metadata").path("uid").asText();
      spec.putObject("selector").putObject("matchLabels").put("controller-uid", uid);
      spec.withObject("/template/metadata/labels")
          .put("controller-uid", uid)
          .put("job-name", object.path("metadata").path("name").asText());
    }
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    JsonNode spec = object.at("/spec");
    for (String field :
        List.of("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit")) {
      if (spec.path(field).asLong() < 0) {
        violations.invalid("spec." + field, spec.path(field), "must be greater than or equal to 0");
      }
    }
    PodTemplates.validate("spec.template.spec", spec.path("template").path("spec"), violations);
    String restarts = spec.path("template").path("spec").path("restartPolicy").asText();
    if (restarts.equals("Always")) {
      violations.required(
          "spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
    }
  }

  @Override
  public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    for (String field : List.of("completions", "selector", "template", "completionMode")) {
      violations.immutable("spec." + field, old.at("/spec/" + field), now.at("/spec/" + field));
    }
  }
}
