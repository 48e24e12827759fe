package dev.paramecium.deploy.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.deploy.verify.Check.Pair;
import dev.paramecium.deploy.verify.Check.Protocol;
import dev.paramecium.deploy.verify.Report.Outcome;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class ReportTest {

  private static final Report.Step STEP =
      new Report.Step(
          "default deny",
          List.of("NetworkPolicy x/odd: the agents refuse it"),
          "",
          List.of(
              outcome("x/a", "x/b", true, true),
              outcome("x/b", "x/a", false, false),
              outcome("y/a", "x/a", false, true),
              outcome("y/a", "service x/web", true, true)),
          0.12,
          1.04);

  private static Outcome outcome(String from, String to, boolean expected, boolean allowed) {
    Pair pair = new Pair(PodName.parse(from), Destination.parse(to), Protocol.TCP, 80);
    return new Outcome(
        new Check(pair, expected),
        allowed,
        allowed ? Prober.ANSWERED : "no answer",
        allowed == expected ? List.of() : List.of(from + ": allow egress by \u0001 <rule>"));
  }

  private static String printed(Report.Step step) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    new MatrixPrinter(new PrintStream(text, true, StandardCharsets.UTF_8), false).print(step);
    return text.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aStepIsATableAndThePairsThatAreWrong() {
    assertThat(printed(STEP))
        .isEqualTo(
            """
              default deny: 3 of 4 as expected (changes 0.1 s, probes 1.0 s)
                note: NetworkPolicy x/odd: the agents refuse it
                TCP 80  x/a  x/b  service x/web
                x/a     .    +    .
                x/b     -    .    .
                y/a     +!   .    +
                y/a to x/a TCP 80: allowed, expected denied
                  y/a: allow egress by \u0001 <rule>
            """);
  }

  @Test
  void aWideTableHasNumbersAlongTheTop() {
    List<Outcome> outcomes = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      outcomes.add(outcome("x/a", "x/" + "long".repeat(12) + i, true, true));
    }
    String text = printed(new Report.Step("wide", List.of(), "", outcomes, 0, 0));

    assertThat(text).contains("2  = x/longlong").contains("    TCP 80  1   2   3\n");
    assertThat(text.lines()).allMatch(line -> line.length() <= 100);
  }

  @Test
  void aReportForCiHasACaseForEachStep() throws Exception {
    Report report =
        new Report(
            "t",
            "t.yaml",
            List.of(STEP, new Report.Step("broken", List.of(), "no <such> pod", List.of(), 0, 0)));

    Document xml =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(
                new ByteArrayInputStream(
                    JunitXml.write(List.of(report)).getBytes(StandardCharsets.UTF_8)));

    Element root = xml.getDocumentElement();
    assertThat(root.getTagName()).isEqualTo("testsuites");
    assertThat(root.getAttribute("tests")).isEqualTo("2");
    assertThat(root.getAttribute("failures")).isEqualTo("1");
    assertThat(root.getAttribute("errors")).isEqualTo("1");
    Element failure = (Element) xml.getElementsByTagName("failure").item(0);
    assertThat(failure.getAttribute("message"))
        .isEqualTo("1 of 4 pairs are otherwise than expected");
    assertThat(failure.getTextContent())
        .isEqualTo(
            """
            y/a to x/a TCP 80: allowed, expected denied
              y/a: allow egress by ? <rule>
            """);
    assertThat(((Element) xml.getElementsByTagName("error").item(0)).getAttribute("message"))
        .isEqualTo("no <such> pod");
  }

  @Test
  void asJsonEveryPairHasItsFields() {
    assertThat(
            ReportJson.write(List.of(new Report("t", "t.yaml", List.of(STEP))))
                .at("/0/steps/0/pairs/2"))
        .hasToString(
            "{\"from\":\"y/a\",\"to\":\"x/a\",\"protocol\":\"TCP\",\"port\":80,\"expected\":\"denied\",\"result\":\"allowed\",\"how\":\"answered\",\"decisions\":[\"y/a:"
                + " allow egress by \\u0001 <rule>\"]}");
  }
}
