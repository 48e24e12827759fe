package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.io.IOException;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the kinds fill in, refuse and print. */
class KindsTest {

  private static final Kinds KINDS = Kinds.standard();

  private static final String DEPLOYMENT =
      """
      {apiVersion: apps/v1, kind: Deployment, metadata: {name: web},
       spec: {selector: {matchLabels: {app: web}},
              template: {metadata: {labels: {app: web}},
                         spec: {containers: [{name: c, image: 'nginx:1', readinessProbe: {httpGet: {port: 80}}}]}}}}
      """;

  private static KubeObject defaulted(ResourceType type, String yaml) throws Exception {
    KubeObject object = parse(yaml);
    KINDS.of(type).rules().setDefaults(object.json());
    return object;
  }

  private static KubeObject parse(String yaml) throws IOException {
    Object tree = new org.yaml.snakeyaml.Yaml().load(yaml);
    return new KubeObject((ObjectNode) Bounds.reader().valueToTree(tree));
  }

  private static List<String> wrong(ResourceType type, String yaml) throws Exception {
    Violations violations = new Violations();
    KINDS.of(type).rules().validate(defaulted(type, yaml), violations);
    return violations.causes().stream().map(ApiReply.Cause::field).toList();
  }

  @Test
  void noNameLeadsToTwoKindsOfAGroup() {
    Set<String> names = new HashSet<>();
    for (ServedKind kind : KINDS.all()) {
      String group = kind.type().group() + " ";
      assertThat(names.add(group + kind.type().plural())).as(kind.type().plural()).isTrue();
      for (String name : kind.shortNames()) {
        assertThat(names.add(name)).as(name).isTrue();
      }
    }
    assertThat(names).hasSizeGreaterThan(60);
  }

  @Test
  void everyColumnPrintsAnObjectThatHasNothing() {
    KubeObject empty = new KubeObject(Bounds.reader().createObjectNode());
    for (ServedKind kind : KINDS.all()) {
      for (ServedKind.Column column : kind.columns()) {
        assertThat(column.cell().of(empty, Instant.EPOCH)).as(column.name()).isNotNull();
      }
    }
  }

  @Test
  void aDeploymentRollsAQuarterAtATimeUnlessToldOtherwise() throws Exception {
    KubeObject deployment = defaulted(ResourceType.DEPLOYMENT, DEPLOYMENT);

    assertThat(deployment.at("/spec/replicas").asInt()).isEqualTo(1);
    assertThat(deployment.at("/spec/strategy").toString())
        .isEqualTo(
            "{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":\"25%\",\"maxSurge\":\"25%\"}}");
    assertThat(deployment.at("/spec/template/spec/containers/0/readinessProbe").toString())
        .isEqualTo(
            "{\"httpGet\":{\"port\":80,\"path\":\"/\",\"scheme\":\"HTTP\"},\"timeoutSeconds\":1,"
                + "\"periodSeconds\":10,\"successThreshold\":1,\"failureThreshold\":3}");
    assertThat(deployment.text("/spec/template/spec/containers/0/imagePullPolicy"))
        .isEqualTo("IfNotPresent");
  }

  @Test
  void whatCannotWorkIsNamedByItsField() throws Exception {
    assertThat(wrong(ResourceType.DEPLOYMENT, DEPLOYMENT)).isEmpty();
    assertThat(
            wrong(
                ResourceType.DEPLOYMENT,
                DEPLOYMENT.replace("labels: {app: web}", "labels: {app: x}")))
        .containsExactly("spec.template.metadata.labels");
    assertThat(wrong(ResourceType.DEPLOYMENT, "{spec: {}}"))
        .containsExactly("spec.selector", "spec.template.spec.containers");
    assertThat(
            wrong(
                ResourceType.SERVICE,
                "{metadata: {name: 1st}, spec: {type: Magic, ports: [{port: 0}, {port: 70000,"
                    + " protocol: ICMP}]}}"))
        .containsExactly(
            "metadata.name",
            "spec.type",
            "spec.ports[0].name",
            "spec.ports[0].port",
            "spec.ports[0].targetPort",
            "spec.ports[1].name",
            "spec.ports[1].port",
            "spec.ports[1].protocol",
            "spec.ports[1].targetPort");
    assertThat(
            wrong(
                ResourceType.NETWORK_POLICY,
                "{spec: {ingress: [{from: [{}, {ipBlock: {cidr: 10.0.0.0/33}}], ports: [{port: 80,"
                    + " endPort: 79}]}]}}"))
        .containsExactly(
            "spec.ingress[0].ports[0].endPort",
            "spec.ingress[0].from[0]",
            "spec.ingress[0].from[1].ipBlock.cidr");
  }

  @Test
  void aJobSelectsItsPodsByItsUid() throws Exception {
    KubeObject job =
        defaulted(
            ResourceType.JOB,
            "{metadata: {name: pi, uid: u1}, spec: {template: {spec: {restartPolicy: Never}}}}");

    assertThat(job.text("/spec/selector/matchLabels/controller-uid")).isEqualTo("u1");
    assertThat(job.text("/spec/template/metadata/labels/job-name")).isEqualTo("pi");
    assertThat(job.at("/spec/completions").asInt()).isEqualTo(1);
  }

  @Test
  void aSecretsPlainTextIsStoredAsData() throws Exception {
    KubeObject secret = defaulted(ResourceType.SECRET, "{kind: Secret, stringData: {user: admin}}");

    assertThat(secret.json().toString())
        .isEqualTo("{\"kind\":\"Secret\",\"type\":\"Opaque\",\"data\":{\"user\":\"YWRtaW4=\"}}");
  }

  @Test
  void aScaleShowsReplicasAndTheSelectorAsText() throws Exception {
    KubeObject deployment = defaulted(ResourceType.DEPLOYMENT, DEPLOYMENT);
    ObjectNode scale = Scales.of(KINDS.of(ResourceType.DEPLOYMENT), deployment);

    assertThat(scale.at("/spec/replicas").asInt()).isEqualTo(1);
    assertThat(scale.at("/status/selector").asText()).isEqualTo("app=web");

    scale.withObject("/spec").put("replicas", 4);
    assertThat(
            Scales.applied(KINDS.of(ResourceType.DEPLOYMENT), deployment, scale)
                .at("/spec/replicas")
                .asInt())
        .isEqualTo(4);
  }

  @Test
  void anExperimentThatCannotBeRunIsRefusedFieldByField() throws Exception {
    assertThat(
            wrong(
                ResourceType.NETWORK_CHAOS,
                """
                {apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos, metadata: {name: bad},
                 spec: {action: delay, mode: fixed, selector: {}, duration: soon, direction: from,
                        delay: {latency: 10x, jitter: '-1ms', correlation: '120', reorder: {reorder: '101', gap: 1}},
                        loss: {loss: 'all'}, bandwidth: {rate: 1mbit, limit: 0, buffer: 1},
                        externalTargets: [10.0.0.1, example.com]}}
                """))
        .containsExactlyInAnyOrder(
            "spec.bandwidth.limit",
            "spec.duration",
            "spec.value",
            "spec.delay.latency",
            "spec.delay.jitter",
            "spec.delay.correlation",
            "spec.delay.reorder.reorder",
            "spec.loss.loss",
            "spec.bandwidth.rate",
            "spec.target",
            "spec.externalTargets[1]");
    assertThat(
            wrong(
                ResourceType.NETWORK_CHAOS,
                """
                {apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos, metadata: {name: bad},
                 spec: {action: corrupt, mode: most, selector: {}}}
                """))
        .containsExactlyInAnyOrder("spec.mode", "spec.corrupt");
    assertThat(
            wrong(
                ResourceType.PARTITION_CHAOS,
                """
                {apiVersion: paramecium.dev/v1alpha1, kind: PartitionChaos, metadata: {name: bad},
                 spec: {nodes: [a, b, a], peers: [b], links: cluster}}
                """))
        .containsExactlyInAnyOrder("spec.nodes[2]", "spec.peers[0]", "spec.peers");
    assertThat(
            wrong(
                ResourceType.NODE_CHAOS,
                """
                {apiVersion: paramecium.dev/v1alpha1, kind: NodeChaos, metadata: {name: bad},
                 spec: {action: restart, nodes: [a], duration: 5s}}
                """))
        .containsExactly("spec.duration");
    assertThat(
            wrong(
                ResourceType.MAP_CHAOS,
                """
                {apiVersion: paramecium.dev/v1alpha1, kind: MapChaos, metadata: {name: bad},
                 spec: {action: stale, nodes: [a], map: cilium_ct4_global, delay: 9s, percent: '10'}}
                """))
        .containsExactlyInAnyOrder("spec.map", "spec.delay", "spec.percent");
    assertThat(
            wrong(
                ResourceType.CONTROL_PLANE_CHAOS,
                """
                {apiVersion: paramecium.dev/v1alpha1, kind: ControlPlaneChaos, metadata: {name: bad},
                 spec: {action: crash, duration: 10ms}}
                """))
        .containsExactly("spec.duration");
    assertThat(
            wrong(
                ResourceType.SCHEDULE,
                """
                {apiVersion: chaos-mesh.org/v1alpha1, kind: Schedule, metadata: {name: bad},
                 spec: {schedule: '61 * * * *', type: PodChaos, networkChaos: {action: loss, mode: all, selector: {}},
                        podChaos: {action: container-kill, mode: fixed, selector: {}}}}
                """))
        .contains(
            "spec.schedule",
            "spec.networkChaos",
            "spec.podChaos.value",
            "spec.podChaos.containerNames");
  }

  @Test
  void anExperimentIsNotChangedWhileItRuns() throws Exception {
    String chaos =
        """
        {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos, metadata: {name: kill},
         spec: {action: pod-kill, mode: %s, selector: {}}}
        """;
    Violations violations = new Violations();
    KINDS
        .of(ResourceType.POD_CHAOS)
        .rules()
        .validateUpdate(parse(chaos.formatted("one")), parse(chaos.formatted("all")), violations);
    assertThat(violations.causes()).extracting(ApiReply.Cause::field).containsExactly("spec");
  }
}
