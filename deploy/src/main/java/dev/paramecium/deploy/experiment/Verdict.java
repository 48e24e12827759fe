package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import java.io.StringWriter;
import java.util.List;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * What an experiment came to.
 *
 * @param name the experiment's
 * @param seed what its chance followed from
 * @param flows how many requests of each were answered, in words
 * @param notes what happened, in order
 * @param timeline when it happened
 */
public record Verdict(
    String name,
    String source,
    String mirrors,
    long seed,
    double seconds,
    List<String> flows,
    List<String> notes,
    List<Case> cases,
    Timeline timeline) {

  private static final int MOST_SHOWN = 10;

  /** One invariant, and each violation of it as a sentence. */
  public record Case(String name, List<String> violations) {

    public Case {
      violations = List.copyOf(violations);
    }
  }

  public Verdict {
    flows = List.copyOf(flows);
    notes = List.copyOf(notes);
    cases = List.copyOf(cases);
  }

  /** The names of those that were violated. */
  public List<String> violated() {
    return cases.stream().filter(one -> !one.violations().isEmpty()).map(Case::name).toList();
  }

  public boolean holds() {
    return cases.stream().allMatch(one -> one.violations().isEmpty());
  }

  /** For people who have many. */
  public String line() {
    return "%s, seed %d: %s in %.1f s (%s)%n"
        .formatted(name, seed, holds() ? "passed" : "FAILED", seconds, String.join("; ", flows));
  }

  /** For people. */
  public String text() {
    StringBuilder out = new StringBuilder();
    out.append(name).append(" (").append(source).append("), seed ").append(seed).append('\n');
    if (!mirrors.isEmpty()) {
      out.append("mirrors ").append(mirrors).append('\n');
    }
    notes.forEach(note -> out.append("  ").append(note).append('\n'));
    flows.forEach(flow -> out.append("  ").append(flow).append('\n'));
    for (Case one : cases) {
      out.append(one.violations().isEmpty() ? "  holds     " : "  VIOLATED  ")
          .append(one.name())
          .append('\n');
      one.violations().stream()
          .limit(MOST_SHOWN)
          .forEach(violation -> out.append("              ").append(violation).append('\n'));
      if (one.violations().size() > MOST_SHOWN) {
        out.append("              and ")
            .append(one.violations().size() - MOST_SHOWN)
            .append(" more\n");
      }
    }
    out.append(
        holds()
            ? "passed in %.0f s%n".formatted(seconds)
            : "FAILED after %.0f s: paramecium chaos run %s --seed %d draws the same faults again%n"
                .formatted(seconds, source, seed));
    return out.toString();
  }

  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = ApiHttp.JSON.createObjectNode();
    json.put("name", name).put("source", source).put("mirrors", mirrors).put("seed", seed);
    json.put("seconds", seconds).put("passed", holds());
    flows.forEach(json.putArray("flows")::add);
    notes.forEach(json.putArray("notes")::add);
    ArrayNode list = json.putArray("invariants");
    for (Case one : cases) {
      ObjectNode entry = list.addObject().put("name", one.name());
      entry.put("holds", one.violations().isEmpty());
      one.violations().forEach(entry.putArray("violations")::add);
    }
    return json;
  }

  /** For CI systems: a suite for each verdict, with a case for each invariant. */
  public static String junit(List<Verdict> verdicts) {
    StringWriter text = new StringWriter();
    try {
      XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(text);
      xml.writeStartDocument("UTF-8", "1.0");
      xml.writeStartElement("testsuites");
      for (Verdict verdict : verdicts) {
        verdict.suite(xml);
      }
      xml.writeEndDocument();
      xml.close();
    } catch (XMLStreamException e) {
      throw new IllegalStateException("a verdict cannot be written as XML", e);
    }
    return text.toString();
  }

  private void suite(XMLStreamWriter xml) throws XMLStreamException {
    xml.writeStartElement("testsuite");
    xml.writeAttribute("name", name + " seed " + seed);
    xml.writeAttribute("tests", Integer.toString(cases.size()));
    long failed = cases.stream().filter(one -> !one.violations().isEmpty()).count();
    xml.writeAttribute("failures", Long.toString(failed));
    xml.writeAttribute("time", Double.toString(seconds));
    for (Case one : cases) {
      xml.writeStartElement("testcase");
      xml.writeAttribute("classname", name);
      xml.writeAttribute("name", one.name());
      if (!one.violations().isEmpty()) {
        xml.writeStartElement("failure");
        xml.writeAttribute("message", one.violations().size() + " violations, seed " + seed);
        xml.writeCharacters(String.join("\n", one.violations()));
        xml.writeEndElement();
      }
      xml.writeEndElement();
    }
    xml.writeEndElement();
  }
}
