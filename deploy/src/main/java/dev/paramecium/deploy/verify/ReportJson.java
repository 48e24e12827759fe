package dev.paramecium.deploy.verify;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.verify.Check.Pair;
import dev.paramecium.deploy.verify.Report.Outcome;
import java.util.List;

/** Reports as {@code verify -o json} prints them. */
public final class ReportJson {

  private ReportJson() {}

  /**
   * {@code [{test, file, passed, steps: [{name, passed, error, notes[], change_seconds,
   * probe_seconds, pairs: [{from, to, protocol, port, expected, result, how, decisions[]}]}]}]}.
   */
  public static ArrayNode write(List<Report> reports) {
    ArrayNode array = ApiHttp.JSON.createArrayNode();
    for (Report report : reports) {
      ObjectNode test = array.addObject();
      test.put("test", report.test()).put("file", report.source()).put("passed", report.passed());
      ArrayNode steps = test.putArray("steps");
      report.steps().forEach(step -> step(steps.addObject(), step));
    }
    return array;
  }

  private static void step(ObjectNode json, Report.Step step) {
    json.put("name", step.name()).put("passed", step.passed()).put("error", step.error());
    step.notes().forEach(json.putArray("notes")::add);
    json.put("change_seconds", step.changeSeconds()).put("probe_seconds", step.probeSeconds());
    ArrayNode pairs = json.putArray("pairs");
    for (Outcome outcome : step.outcomes()) {
      Pair pair = outcome.check().pair();
      ObjectNode one = pairs.addObject();
      one.put("from", pair.from().toString()).put("to", pair.to().toString());
      one.put("protocol", pair.protocol().name()).put("port", pair.port());
      one.put("expected", Check.word(outcome.check().allowed()));
      one.put("result", Check.word(outcome.allowed())).put("how", outcome.how());
      outcome.decisions().forEach(one.putArray("decisions")::add);
    }
  }
}
