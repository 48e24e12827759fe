package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.cluster.EphemeralCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.verify.World;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands that answer who reaches whom, and why: {@code probe}, {@code policy explain}, {@code
 * verify}.
 *
 * <pre>
 *   node-1: shop/client    node-2: shop/web, shop/db (TCP and UDP 80)
 *   web: from app=client on TCP 80, UDP 80 and echo requests; app=client is denied TCP 81
 *   db:  from nobody
 * </pre>
 */
class AnswersIT {

  private static final String SHOP =
      """
      {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
      ---
      {apiVersion: v1, kind: Pod, metadata: {name: client, namespace: shop, labels: {app: client}},
       spec: {nodeName: node-1, containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.40, args: [pause]}]}}
      ---
      {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}},
       spec: {nodeName: node-2, containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.40, args: [netexec, --http-port=80, --udp-port=80]}]}}
      ---
      {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}},
       spec: {nodeName: node-2, containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.40, args: [netexec, --http-port=80, --udp-port=80]}]}}
      ---
      apiVersion: cilium.io/v2
      kind: CiliumNetworkPolicy
      metadata: {name: web, namespace: shop}
      spec:
        endpointSelector: {matchLabels: {app: web}}
        ingress:
        - fromEndpoints: [{matchLabels: {app: client}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}, {port: "81", protocol: TCP}, {port: "80", protocol: UDP}]}]
        - fromEndpoints: [{matchLabels: {app: client}}]
          icmps: [{fields: [{family: IPv4, type: 8}]}]
        ingressDeny:
        - fromEndpoints: [{matchLabels: {app: client}}]
          toPorts: [{ports: [{port: "81", protocol: TCP}]}]
      ---
      {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: shop},
       spec: {podSelector: {matchLabels: {app: db}}}}
      """;

  private static final String WEB = "CiliumNetworkPolicy shop/web spec";

  private static EphemeralCluster cluster;

  @TempDir private Path folder;

  @BeforeAll
  static void startTheCluster() {
    cluster = EphemeralCluster.start(2, Topology.Options.DEFAULT);
    World world = new World(cluster.api());
    for (ObjectNode object : Manifests.parse("the test's manifest", SHOP)) {
      world.apply(object);
    }
    world.settle(Duration.ofSeconds(45));
  }

  @AfterAll
  static void stopTheCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static CommandResult run(String... words) {
    return CommandResult.run(cluster.api().server(), words);
  }

  private String file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  // ---- probe

  private static void assertProbe(int exitCode, String expected, String... words) {
    CommandResult result = run(words);
    assertThat(result.stdout()).isEqualTo(expected);
    assertThat(result.exitCode()).isEqualTo(exitCode);
    assertThat(result.stderr()).isEmpty();
  }

  private static final String OPEN_EGRESS = "  shop/client: allow egress by allow-any-egress\n";

  @Test
  void anAllowedPortNamesTheRuleThatAllowsIt() {
    assertProbe(
        0,
        "allowed\n" + OPEN_EGRESS + "  shop/web: allow ingress by " + WEB + ".ingress[0]\n",
        "probe",
        "shop/client",
        "shop/web:80");
  }

  @Test
  void anExplicitDenyNamesTheRuleThatDeniesIt() {
    assertProbe(
        1,
        "denied\n" + OPEN_EGRESS + "  shop/web: deny ingress by " + WEB + ".ingressDeny[0]\n",
        "probe",
        "shop/client",
        "shop/web:81");
  }

  @Test
  void aDefaultDenyNamesThePolicyThatClosesTheDirection() {
    assertProbe(
        1,
        "denied\n"
            + OPEN_EGRESS
            + "  shop/db: deny ingress by default deny of NetworkPolicy shop/db spec\n",
        "probe",
        "client",
        "db:80",
        "-n",
        "shop");
  }

  @Test
  void udpNeedsAnAnswer() {
    assertProbe(
        0,
        "allowed\n" + OPEN_EGRESS + "  shop/web: allow ingress by " + WEB + ".ingress[0]\n",
        "probe",
        "shop/client",
        "shop/web:80",
        "--protocol",
        "udp");
    assertProbe(
        1,
        "denied\n" + OPEN_EGRESS + "  shop/web: deny ingress by default deny of " + WEB + "\n",
        "probe",
        "shop/client",
        "shop/web:81",
        "--protocol=udp");
  }

  @Test
  void icmpIsJudgedByTheTypeOfItsMessage() {
    assertProbe(
        0,
        "allowed\n" + OPEN_EGRESS + "  shop/web: allow ingress by " + WEB + ".ingress[1]\n",
        "probe",
        "shop/client",
        "shop/web",
        "--protocol",
        "icmp");
    assertProbe(
        1,
        "denied\n"
            + OPEN_EGRESS
            + "  shop/db: deny ingress by default deny of NetworkPolicy shop/db spec\n",
        "probe",
        "shop/client",
        "shop/db",
        "--protocol",
        "icmp");
  }

  @Test
  void mistakesOfAProbeAreNamed() {
    assertThat(run("probe", "shop/client", "shop/web").stderr()).contains("tcp needs a port");
    assertThat(run("probe", "shop/client", "shop/web:80", "--protocol=quic").stderr())
        .contains("protocol \"quic\" is not known");
    assertThat(run("probe", "shop/nobody", "shop/web:80").exitCode()).isEqualTo(1);
  }

  // ---- trace

  @Test
  void aTracesStepsNameThePolicyBehindTheMapEntry() throws IOException {
    CommandResult result = run("trace", "shop/client", "shop/web:81", "-o", "json");

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(ApiHttp.JSON.readTree(result.stdout()))
        .filteredOn(step -> step.has("policy"))
        .extracting(step -> step.path("node").asText() + " " + step.path("policy").asText())
        .containsExactly(
            "node-1 shop/client: allow egress by allow-any-egress",
            "node-2 shop/web: deny ingress by " + WEB + ".ingressDeny[0]");
  }

  // ---- policy explain

  @Test
  void explainSaysWhoMayReachAPodAndByWhichRule() {
    CommandResult result = run("policy", "explain", "shop/web");

    assertThat(result.exitCode()).isZero();
    assertThat(result.stdout())
        .containsPattern("deny +81/TCP +k8s:app=client +" + WEB + "\\.ingressDeny\\[0]")
        .containsPattern("allow +80/TCP +k8s:app=client +" + WEB + "\\.ingress\\[0]")
        .containsPattern("allow +80/UDP +k8s:app=client +" + WEB + "\\.ingress\\[0]")
        .containsPattern("allow +8/ICMP +k8s:app=client +" + WEB + "\\.ingress\\[1]")
        .containsPattern("deny +ANY +anyone else +default deny of " + WEB + "\n")
        .containsPattern("allow +ANY +anyone +allow-any-egress");
  }

  @Test
  void explainAsJsonHasTheSameEntries() throws IOException {
    CommandResult result = run("policy", "explain", "db", "-n", "shop", "-o", "json");

    JsonNode entries = ApiHttp.JSON.readTree(result.stdout());
    assertThat(entries)
        .anySatisfy(
            entry -> {
              assertThat(entry.path("direction").asText()).isEqualTo("ingress");
              assertThat(entry.path("verdict").asText()).isEqualTo("default deny");
              assertThat(entry.path("rules").get(0).asText())
                  .isEqualTo("NetworkPolicy shop/db spec");
            });
  }

  @Test
  void explainOfAPodThatIsNotThereSaysSo() {
    CommandResult result = run("policy", "explain", "shop/nobody");

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.stderr()).contains("pods \"nobody\" not found");
  }

  // ---- policy diff

  private static final String NEW_DB =
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: db, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: db}}
        ingress:
        - from: [{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 198.51.100.0/24}}]
          ports: [{port: 80}]
      """;

  private static String line(String... cells) {
    return String.join(" +", List.of(cells).stream().map(java.util.regex.Pattern::quote).toList());
  }

  @Test
  void diffShowsOnlyWhatChangesWithTheRuleThatWouldDecide() throws IOException {
    String rule = "shop/db: allow ingress by NetworkPolicy shop/db spec.ingress[0]";
    CommandResult result = run("policy", "diff", "-f", file("db.yaml", NEW_DB));

    assertThat(result.exitCode()).as(result.stderr()).isZero();
    assertThat(result.stdout())
        .containsPattern("FROM +TO +PORT +NOW +THEN +BY")
        .containsPattern(line("shop/web", "shop/db", "80/TCP", "denied", "allowed", rule))
        .containsPattern(line("198.51.100.0/24", "shop/db", "80/TCP", "denied", "allowed", rule))
        .endsWith("\n0 closed, 2 opened.\n");
    assertThat(result.stdout().lines()).hasSize(5);
    assertProbe(
        1,
        "denied\n  shop/web: allow egress by allow-any-egress\n"
            + "  shop/db: deny ingress by default deny of NetworkPolicy shop/db spec\n",
        "probe",
        "shop/web",
        "shop/db:80");
  }

  @Test
  void diffTellsAWholeDirectionInOneLine() throws IOException {
    String policy =
        """
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: client, namespace: shop},
         spec: {podSelector: {matchLabels: {app: client}}}}
        """;
    CommandResult result =
        run("policy", "diff", "--exit-code", "-f", file("client.yaml", policy), "-o", "json");

    assertThat(result.exitCode()).isEqualTo(1);
    JsonNode changes = ApiHttp.JSON.readTree(result.stdout()).path("changes");
    assertThat(changes)
        .extracting(
            change ->
                change.path("from").asText()
                    + " "
                    + change.path("port").asText()
                    + " "
                    + change.path("then").asText()
                    + " "
                    + change.at("/then_by/0").asText())
        .contains(
            "shop/web any port denied shop/client: deny ingress by default deny of NetworkPolicy"
                + " shop/client spec",
            "world any port denied shop/client: deny ingress by default deny of NetworkPolicy"
                + " shop/client spec")
        .noneMatch(change -> change.startsWith("host "));
    assertThat(changes.at("/0/now_by/1").asText())
        .endsWith("shop/client: allow ingress by allow-any-ingress");
  }

  @Test
  void diffOfWhatIsThereIsEmptyAndWithoutTheRestItIsNot() throws IOException {
    String web = file("same.yaml", SHOP);
    CommandResult same = run("policy", "diff", "--exit-code", "-f", web);
    assertThat(same.stdout())
        .contains("note: Pod client is no policy: left out")
        .endsWith("Nobody would reach anybody otherwise than now.\n");
    assertThat(same.exitCode()).isZero();

    CommandResult pruned = run("policy", "diff", "--prune", "-f", file("db.yaml", NEW_DB));
    assertThat(pruned.stdout())
        .containsPattern(
            line(
                "shop/client",
                "shop/web",
                "81/TCP",
                "denied",
                "allowed",
                "shop/web: allow ingress by allow-any-ingress"));
  }

  @Test
  void diffOfWhatTheServerOrTheAgentsRefuseSaysSo() throws IOException {
    String refused = NEW_DB.replace("{port: 80}", "{port: 80, protocol: SCTP}");
    CommandResult sctp = run("policy", "diff", "-f", file("sctp.yaml", refused));
    assertThat(sctp.stdout()).contains("note: NetworkPolicy shop/db: the agents refuse db");

    CommandResult invalid =
        run("policy", "diff", "-f", file("bad.yaml", NEW_DB.replace("port: 80", "port: 80000")));
    assertThat(invalid.exitCode()).isEqualTo(1);
    assertThat(invalid.stderr()).contains("is invalid");
  }

  // ---- verify

  private static final String TEST =
      """
      apiVersion: paramecium.dev/v1alpha1
      kind: ConnectivityTest
      metadata: {name: lab, annotations: {why: a test}}
      setup:
      - {apiVersion: v1, kind: Namespace, metadata: {name: lab}}
      - {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: lab, labels: {pod: a}},
         spec: {containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.40, args: [netexec, --http-port=80, --udp-port=80]}]}}
      - {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: lab, labels: {pod: b}},
         spec: {containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.40, args: [netexec, --http-port=80, --udp-port=80]}]}}
      - {apiVersion: v1, kind: Service, metadata: {name: b, namespace: lab}, spec: {selector: {pod: b}, ports: [{port: 8080, targetPort: 80}]}}
      steps:
      - name: open
        expect:
        - {from: lab/a, to: [lab/b, shop/db], port: 80, result: denied}
        - {from: lab/a, to: service lab/b, port: 8080, result: allowed}
        - {default: allowed, protocol: UDP, port: 80, among: [lab/a, lab/b]}
        - {from: lab/a, to: lab/b, port: 80, protocol: SCTP, result: denied}
        - {from: lab/b, to: lab/a, protocol: ICMP, result: allowed}
      - name: only to one address
        apply:
        - {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: lab},
           spec: {podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {pod: c}}}]}]}}
        - {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: sctp, namespace: lab},
           spec: {podSelector: {}, ingress: [{ports: [{port: 80, protocol: SCTP}]}]}}
        expect:
        - {from: lab/a, to: [lab/b, service lab/b], port: 8080, result: denied}
        - {from: lab/b, to: lab/a, port: 80, result: allowed}
      - name: another label, another place
        label: [{kind: Pod, namespace: lab, name: b, labels: {pod: c}}]
        expect:
        - {from: lab/a, to: lab/b, port: 80, result: allowed}
      - name: nothing left
        delete: [{kind: NetworkPolicy, namespace: lab, name: out}]
        expect:
        - {from: lab/a, to: 127.0.0.1, port: 80, result: allowed}
        - {from: lab/a, to: lab/b, port: 80, result: allowed}
      """;

  @Test
  void verifyTellsWhichPairsAreWrongAndWhoDecided() throws IOException {
    Path junit = folder.resolve("out/report.xml");
    CommandResult result = run("verify", file("lab.yaml", TEST), "--junit", junit.toString());

    assertThat(result.stdout())
        .contains("open: 6 of 7 as expected")
        .contains("lab/a to lab/b TCP 80: allowed, expected denied")
        .contains("      lab/b: allow ingress by allow-any-ingress\n")
        .contains("only to one address: 3 of 3 as expected")
        .contains("note: NetworkPolicy lab/sctp: the agents refuse sctp")
        .contains("another label, another place: 1 of 1 as expected")
        .contains("nothing left: 2 of 2 as expected")
        .endsWith("1 test, 4 steps, 13 pairs: 1 otherwise than expected.\n");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(Files.readString(junit))
        .contains("tests=\"4\" failures=\"1\" errors=\"0\"")
        .contains("lab/a to lab/b TCP 80: allowed, expected denied");
    assertThat(run("get", "namespace", "lab").exitCode()).as("is removed").isEqualTo(1);
  }

  @Test
  void verifyEndsWithZeroIfAllIsAsExpected() throws IOException {
    String test =
        """
        apiVersion: paramecium.dev/v1alpha1
        kind: ConnectivityTest
        metadata: {name: shop}
        steps:
        - expect:
          - {from: shop/client, to: shop/web, port: 80, result: allowed}
          - {from: shop/client, to: shop/web, port: 81, result: denied}
          - {default: denied, port: 80, among: [shop/client, shop/db]}
          - {from: shop/db, to: shop/client, port: 80, result: allowed}
        """;
    CommandResult result = run("verify", file("shop.yaml", test), "-o", "json");

    assertThat(result.exitCode()).as(result.stdout()).isZero();
    JsonNode pairs = ApiHttp.JSON.readTree(result.stdout()).at("/0/steps/0/pairs");
    assertThat(pairs).hasSize(4);
    assertThat(pairs.get(1).path("decisions").get(1).asText())
        .isEqualTo("shop/web: deny ingress by " + WEB + ".ingressDeny[0]");
  }

  @Test
  void aStepThatCannotBeCarriedOutFailsTheTestAndSaysWhy() throws IOException {
    String test =
        """
        apiVersion: paramecium.dev/v1alpha1
        kind: ConnectivityTest
        metadata: {name: broken}
        steps:
        - name: delete what is not there
          delete: [{kind: NetworkPolicy, namespace: shop, name: nowhere}]
        - name: never
          expect: [{from: shop/client, to: shop/web, port: 80, result: allowed}]
        """;
    CommandResult result = run("verify", file("broken.yaml", test));

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.stdout())
        .contains("delete what is not there: cannot be carried out")
        .contains("\"nowhere\" not found")
        .doesNotContain("never")
        .contains("1 step could not be carried out");
  }

  @Test
  void mistakesInAFileAreUsage() throws IOException {
    String test = TEST.replace("result: allowed", "result: perhaps");
    CommandResult result = run("verify", file("odd.yaml", test));

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.stderr()).contains("result is \"perhaps\": use allowed or denied");
    assertThat(List.of(result.stderr().split("\n"))).hasSize(1);
  }
}
