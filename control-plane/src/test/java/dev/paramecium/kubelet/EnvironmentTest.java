package dev.paramecium.kubelet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.kubelet.ContainerInputs.Missing;
import dev.paramecium.kubelet.ContainerInputs.Source;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** What manifests ask for, and what containers get: variables and files. */
class EnvironmentTest {

  private static final Source CONFIG = new Source(ResourceType.CONFIG_MAP, "web");
  private static final Source SECRET = new Source(ResourceType.SECRET, "keys");

  private static final KubeObject CONFIG_MAP =
      object("{kind: ConfigMap, data: {colour: blue, size: '3'}, binaryData: {raw: /wA=}}");

  private static final KubeObject KEYS = object("{kind: Secret, data: {password: czNjcmV0}}");

  private static KubeObject object(String yaml) {
    return new KubeObject((ObjectNode) json(yaml));
  }

  private static JsonNode json(String yaml) {
    return new ObjectMapper().valueToTree(new Yaml().load(yaml));
  }

  private static KubeObject pod(String volumes) {
    return object(
        """
        metadata: {name: p, namespace: n, uid: u, labels: {b: x, a: 'say "y"'}}
        spec: {nodeName: node-1, containers: [], volumes: %s}
        """
            .formatted(volumes));
  }

  private static PodFields fields(KubeObject pod) {
    return new PodFields(pod, "10.0.0.7", "127.0.0.2", 4, 2048);
  }

  private static Map<Source, Optional<KubeObject>> found() {
    return Map.of(CONFIG, Optional.of(CONFIG_MAP), SECRET, Optional.of(KEYS));
  }

  private static Map<String, String> env(String container) {
    return new Environment(fields(pod("[]")), found())
        .of(json(container), Map.of("KUBERNETES_SERVICE_HOST", "10.96.0.1"));
  }

  @Test
  void variablesComeFromValuesKeysFieldsAndResources() {
    assertThat(
            env(
                """
                resources: {limits: {memory: 3Mi}, requests: {cpu: 250m}}
                envFrom:
                - {prefix: C_, configMapRef: {name: web}}
                - {secretRef: {name: keys}}
                env:
                - {name: C_size, value: '4'}
                - {name: URL, value: 'http://$(KUBERNETES_SERVICE_HOST)/$(C_size)/$(nobody)/$$(C_size)'}
                - {name: COLOUR, valueFrom: {configMapKeyRef: {name: web, key: colour}}}
                - {name: NONE, valueFrom: {configMapKeyRef: {name: web, key: x, optional: true}}}
                - {name: PASS, valueFrom: {secretKeyRef: {name: keys, key: password}}}
                - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
                - {name: ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
                - {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['b']"}}}
                - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Ki}}}
                - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
                - {name: MILLI, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
                """))
        .containsEntry("C_colour", "blue")
        .containsEntry("C_size", "4")
        .containsEntry("password", "s3cret")
        .containsEntry("URL", "http://10.96.0.1/4/$(nobody)/$(C_size)")
        .containsEntry("COLOUR", "blue")
        .containsEntry("PASS", "s3cret")
        .containsEntry("IP", "10.0.0.7")
        .containsEntry("NODE", "node-1")
        .containsEntry("ACCOUNT", "default")
        .containsEntry("LABEL", "x")
        .containsEntry("MEM", "3072")
        .containsEntry("CPU", "4")
        .containsEntry("MILLI", "250")
        .doesNotContainKey("NONE");
  }

  @Test
  void saysWhatIsMissingInTheKubeletsWords() {
    assertThatThrownBy(
            () -> env("env: [{name: A, valueFrom: {configMapKeyRef: {name: gone, key: k}}}]"))
        .isInstanceOfSatisfying(Missing.class, e -> assertThat(e.isOfVolume()).isFalse())
        .hasMessage("configmap \"gone\" not found");
    assertThatThrownBy(
            () -> env("env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: k}}}]"))
        .hasMessage("couldn't find key k in Secret n/keys");
    assertThatThrownBy(() -> env("env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.x}}}]"))
        .hasMessageContaining("unsupported fieldPath: spec.x");
    assertThat(env("envFrom: [{configMapRef: {name: gone, optional: true}}]")).hasSize(1);
  }

  private static Map<String, String> files(String volumes, String mounts) {
    KubeObject pod = pod(volumes);
    Map<String, String> text = new LinkedHashMap<>();
    new VolumeFiles(pod, fields(pod), found())
        .of(json("{volumeMounts: " + mounts + "}"))
        .forEach((path, bytes) -> text.put(path, new String(bytes, StandardCharsets.ISO_8859_1)));
    return text;
  }

  @Test
  void volumesAreFilesWhereTheyAreMounted() {
    assertThat(
            files(
                "[{name: c, configMap: {name: web}}, {name: s, secret: {secretName: keys,"
                    + " items: [{key: password, path: db/pass}]}}]",
                "[{name: c, mountPath: /etc/web}, {name: c, mountPath: /colour, subPath: colour},"
                    + " {name: s, mountPath: /run/keys}]"))
        .containsOnly(
            Map.entry("/etc/web/colour", "blue"),
            Map.entry("/etc/web/size", "3"),
            Map.entry("/etc/web/raw", "\u00ff\0"),
            Map.entry("/colour", "blue"),
            Map.entry("/run/keys/db/pass", "s3cret"));
  }

  @Test
  void oneVolumeMayHaveSeveralSources() {
    assertThat(
            files(
                "[{name: all, projected: {sources: [{configMap: {name: web, items: [{key: size,"
                    + " path: size}]}}, {secret: {name: keys}}, {downwardAPI: {items: [{path:"
                    + " labels, fieldRef: {fieldPath: metadata.labels}}]}}]}}]",
                "[{name: all, mountPath: /all}]"))
        .containsOnly(
            Map.entry("/all/size", "3"),
            Map.entry("/all/password", "s3cret"),
            Map.entry("/all/labels", "a=\"say \\\"y\\\"\"\nb=\"x\""));
  }

  @Test
  void aVolumeWithoutItsSourceIsNotMounted() {
    assertThatThrownBy(
            () -> files("[{name: c, configMap: {name: gone}}]", "[{name: c, mountPath: /c}]"))
        .isInstanceOfSatisfying(Missing.class, e -> assertThat(e.isOfVolume()).isTrue())
        .hasMessage("MountVolume.SetUp failed for volume \"c\" : configmap \"gone\" not found");
    assertThatThrownBy(
            () ->
                files(
                    "[{name: c, configMap: {name: web, items: [{key: x, path: x}]}}]",
                    "[{name: c, mountPath: /c}]"))
        .hasMessageEndingWith("configmap \"web\" references non-existent config key: x");
    assertThat(
            files(
                "[{name: c, configMap: {name: gone, optional: true}}, {name: e, emptyDir: {}}]",
                "[{name: c, mountPath: /c}, {name: e, mountPath: /e}]"))
        .isEmpty();
  }

  @Test
  void servicesOfThePodsNamespaceAreVariables() {
    ServiceLinks links = new ServiceLinks();
    for (String service :
        new String[] {
          "{metadata: {name: kubernetes, namespace: default}, spec: {clusterIP: 10.96.0.1, ports:"
              + " [{name: https, port: 443}]}}",
          "{metadata: {name: my-web, namespace: n}, spec: {clusterIP: 10.96.0.9, ports: [{port:"
              + " 80}]}}",
          "{metadata: {name: headless, namespace: n}, spec: {clusterIP: None, ports: [{port:"
              + " 80}]}}",
          "{metadata: {name: other, namespace: m}, spec: {clusterIP: 10.96.0.8, ports: [{port:"
              + " 1}]}}"
        }) {
      links.heard(new InformerEvent.Upserted(null, object(service)));
    }
    assertThat(links.of(pod("[]")))
        .containsEntry("KUBERNETES_SERVICE_HOST", "10.96.0.1")
        .containsEntry("KUBERNETES_SERVICE_PORT_HTTPS", "443")
        .containsEntry("MY_WEB_SERVICE_HOST", "10.96.0.9")
        .containsEntry("MY_WEB_PORT", "tcp://10.96.0.9:80")
        .containsEntry("MY_WEB_PORT_80_TCP_ADDR", "10.96.0.9")
        .doesNotContainKeys("OTHER_SERVICE_HOST", "HEADLESS_SERVICE_HOST");
    KubeObject without = pod("[]").copy();
    without.json().withObject("/spec").put("enableServiceLinks", false);
    assertThat(links.of(without))
        .containsKey("KUBERNETES_SERVICE_HOST")
        .doesNotContainKey("MY_WEB_SERVICE_HOST");
  }
}
