package dev.paramecium.deploy.verify;

import dev.paramecium.deploy.verify.Report.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * Reports in the format that CI systems read of JUnit: a suite for each test, a case for each step,
 * a failure that lists the pairs that are wrong and who decided.
 */
public final class JunitXml {

  private JunitXml() {}

  /** The whole document. */
  public static String write(List<Report> reports) {
    StringWriter text = new StringWriter();
    try {
      XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(text);
      xml.writeStartDocument("UTF-8", "1.0");
      newLine(xml, 0);
      xml.writeStartElement("testsuites");
      xml.writeAttribute("name", "paramecium verify");
      counts(xml, reports.stream().flatMap(report -> report.steps().stream()).toList());
      for (Report report : reports) {
        suite(xml, report);
      }
      newLine(xml, 0);
      xml.writeEndElement();
      newLine(xml, 0);
      xml.writeEndDocument();
      xml.close();
    } catch (XMLStreamException e) {
      throw new IllegalStateException("a report cannot be written as XML", e);
    }
    return text.toString();
  }

  private static void suite(XMLStreamWriter xml, Report report) throws XMLStreamException {
    newLine(xml, 1);
    xml.writeStartElement("testsuite");
    attribute(xml, "name", report.test());
    counts(xml, report.steps());
    attribute(xml, "file", report.source());
    for (Report.Step step : report.steps()) {
      newLine(xml, 2);
      xml.writeStartElement("testcase");
      attribute(xml, "classname", report.test());
      attribute(xml, "name", step.name());
      attribute(xml, "time", seconds(step.changeSeconds() + step.probeSeconds()));
      if (!step.error().isEmpty()) {
        newLine(xml, 3);
        xml.writeStartElement("error");
        attribute(xml, "message", step.error());
        xml.writeEndElement();
      } else if (!step.passed()) {
        failure(xml, step);
      }
      newLine(xml, 3);
      xml.writeStartElement("system-out");
      xml.writeCharacters(legal(matrix(step)));
      xml.writeEndElement();
      newLine(xml, 2);
      xml.writeEndElement();
    }
    newLine(xml, 1);
    xml.writeEndElement();
  }

  private static void failure(XMLStreamWriter xml, Report.Step step) throws XMLStreamException {
    newLine(xml, 3);
    xml.writeStartElement("failure");
    attribute(
        xml,
        "message",
        step.wrong().size()
            + " of "
            + step.outcomes().size()
            + " pairs are otherwise than expected");
    StringBuilder lines = new StringBuilder();
    for (Outcome outcome : step.wrong()) {
      lines.append(outcome.sentence()).append('\n');
      outcome.decisions().forEach(decision -> lines.append("  ").append(decision).append('\n'));
    }
    xml.writeCharacters(legal(lines.toString()));
    xml.writeEndElement();
  }

  private static void counts(XMLStreamWriter xml, List<Report.Step> steps)
      throws XMLStreamException {
    attribute(xml, "tests", Integer.toString(steps.size()));
    attribute(
        xml,
        "failures",
        Long.toString(steps.stream().filter(s -> s.error().isEmpty() && !s.passed()).count()));
    attribute(
        xml, "errors", Long.toString(steps.stream().filter(s -> !s.error().isEmpty()).count()));
    attribute(
        xml,
        "time",
        seconds(steps.stream().mapToDouble(s -> s.changeSeconds() + s.probeSeconds()).sum()));
  }

  private static String matrix(Report.Step step) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);
    out.println(MatrixPrinter.LEGEND);
    new MatrixPrinter(out, false).print(step);
    return text.toString(StandardCharsets.UTF_8);
  }

  private static String seconds(double seconds) {
    return String.format(Locale.ROOT, "%.3f", seconds);
  }

  private static void attribute(XMLStreamWriter xml, String name, String value)
      throws XMLStreamException {
    xml.writeAttribute(name, legal(value));
  }

  /** XML 1.0 has no way to write most control characters (section 2.2). */
  private static String legal(String text) {
    return text.replaceAll("[^\\t\\n\\r\\x20-\\uD7FF\\uE000-\\uFFFD\\x{10000}-\\x{10FFFF}]", "?");
  }

  private static void newLine(XMLStreamWriter xml, int depth) throws XMLStreamException {
    xml.writeCharacters("\n" + "  ".repeat(depth));
  }
}
