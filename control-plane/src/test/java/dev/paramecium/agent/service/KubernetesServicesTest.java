package dev.paramecium.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

class KubernetesServicesTest {

  private static final ActorTestKit KIT = ActorTestKit.create();
  private static final Ipv4Address NODE_IP = Ipv4Address.parse("127.0.0.2");

  private final List<String> failures = new ArrayList<>();

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private ServiceApi api;

  private KubernetesServices services(Map<String, String> given) {
    AgentOptions options = AgentOptions.of(given);
    ActorRef<MapReconciler.Command> reconciler =
        KIT.spawn(
            Behaviors.receiveMessage(
                command -> {
                  if (command instanceof MapReconciler.Apply apply && apply.replyTo() != null) {
                    apply.replyTo().tell(new MapReconciler.Applied(""));
                  }
                  return Behaviors.same();
                }));
    api = new ServiceApi(new Services(options.services("n1")), reconciler, KIT.scheduler());
    return new KubernetesServices(api, options, NODE_IP, failures::add);
  }

  private static KubeObject object(String yaml) {
    return new KubeObject((ObjectNode) new ObjectMapper().valueToTree(new Yaml().load(yaml)));
  }

  private static KubeObject service(String spec) {
    return object("{kind: Service, metadata: {name: web, namespace: default}, spec: " + spec + "}");
  }

  private static KubeObject slice(String endpoints) {
    return object(
        "{kind: EndpointSlice, metadata: {name: web-1, namespace: default,"
            + " labels: {kubernetes.io/service-name: web}},"
            + " ports: [{name: http, port: 8080, protocol: TCP}], endpoints: "
            + endpoints
            + "}");
  }

  private static final String PORTS =
      "ports: [{name: http, port: 80, protocol: TCP, nodePort: 30080}]";
  private static final String TWO =
      "[{addresses: [10.0.0.1], nodeName: n1, conditions: {ready: true}},"
          + " {addresses: [10.0.0.2], nodeName: n2, conditions: {ready: false, serving: true,"
          + " terminating: true}}, {addresses: [10.0.0.3], conditions: {ready: false}}]";

  private List<String> lines() {
    return api.list().stream()
        .map(
            service ->
                service.spec().type().label()
                    + " "
                    + service.frontend()
                    + " "
                    + service.backends().stream().map(b -> b.address() + " " + b.state()).toList())
        .sorted()
        .toList();
  }

  @Test
  void aClusterIpLeadsToTheEndpointsThatServe() {
    KubernetesServices services = services(Map.of());
    services.upsert(service("{type: ClusterIP, clusterIP: 10.96.0.2, " + PORTS + "}"));
    assertThat(lines()).containsExactly("ClusterIP 10.96.0.2:80 []");
    services.upsert(slice(TWO.replace("ready: false, serving", "ready: true, serving")));
    services.upsert(slice(TWO));
    assertThat(lines())
        .containsExactly(
            "ClusterIP 10.96.0.2:80 [10.0.0.1:8080 ACTIVE, 10.0.0.2:8080 TERMINATING]");
    services.remove(slice(TWO));
    assertThat(lines()).containsExactly("ClusterIP 10.96.0.2:80 []");
    services.remove(service("{}"));
    assertThat(lines()).isEmpty();
    assertThat(failures).isEmpty();
  }

  @Test
  void nodePortsNeedTheOption() {
    String spec = "{type: NodePort, clusterIP: 10.96.0.2, " + PORTS + "}";
    KubernetesServices off = services(Map.of());
    off.upsert(service(spec));
    assertThat(lines()).containsExactly("ClusterIP 10.96.0.2:80 []");
    KubernetesServices on = services(Map.of("kube-proxy-replacement", "strict"));
    on.upsert(service(spec));
    assertThat(lines())
        .containsExactly(
            "ClusterIP 10.96.0.2:80 []",
            "NodePort 0.0.0.0:30080 []",
            "NodePort 127.0.0.2:30080 []");
  }

  @Test
  void aLocalTrafficPolicyHasAFrontendForEachSide() {
    KubernetesServices services = services(Map.of("kube-proxy-replacement", "strict"));
    services.upsert(
        slice(
            "[{addresses: [10.0.0.1], nodeName: n1, conditions: {ready: true}},"
                + " {addresses: [10.0.0.2], nodeName: n2, conditions: {ready: true}}]"));
    services.upsert(
        service(
            "{type: NodePort, clusterIP: 10.96.0.2, externalTrafficPolicy: Local, " + PORTS + "}"));
    assertThat(lines())
        .contains(
            "NodePort 127.0.0.2:30080 [10.0.0.1:8080 ACTIVE]",
            "NodePort 127.0.0.2:30080/i [10.0.0.1:8080 ACTIVE, 10.0.0.2:8080 ACTIVE]");
  }

  @Test
  void headlessExternalAndSctpHaveNoFrontend() {
    KubernetesServices services = services(Map.of());
    services.upsert(service("{type: ClusterIP, clusterIP: None, " + PORTS + "}"));
    assertThat(lines()).isEmpty();
    services.upsert(service("{type: ExternalName, externalName: example.org}"));
    assertThat(lines()).isEmpty();
    services.upsert(
        service("{type: ClusterIP, clusterIP: 10.96.0.2, ports: [{port: 9, protocol: SCTP}]}"));
    assertThat(lines()).isEmpty();
  }

  @Test
  void affinityAndSourceRangesGoAlong() {
    KubernetesServices services = services(Map.of("kube-proxy-replacement", "strict"));
    KubeObject balanced =
        service(
            "{type: LoadBalancer, clusterIP: 10.96.0.2, sessionAffinity: ClientIP,"
                + " sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}},"
                + " loadBalancerSourceRanges: [192.0.2.0/24], "
                + PORTS
                + "}");
    balanced
        .json()
        .putObject("status")
        .putObject("loadBalancer")
        .putArray("ingress")
        .addObject()
        .put("ip", "198.51.100.7");
    services.upsert(balanced);
    Service frontend = api.of(L3n4Addr.parse("198.51.100.7:80"));
    assertThat(frontend.spec().affinityTimeoutSeconds()).isEqualTo(60);
    assertThat(frontend.spec().sourceRanges()).hasToString("[192.0.2.0/24]");
    assertThat(api.of(L3n4Addr.parse("10.96.0.2:80")).spec().sourceRanges()).isEmpty();
  }

  private static KubeObject pod(String name, String ip, String ports) {
    return object(
        "{kind: Pod, metadata: {name: "
            + name
            + ", namespace: default}, spec: {nodeName: n1, containers: [{ports: ["
            + ports
            + "]}]}, status: {phase: Running, podIP: '"
            + ip
            + "'}}");
  }

  @Test
  void aHostPortLeadsToItsPodWhereTheOptionIsOn() {
    String port = "{containerPort: 80, hostPort: 8080, protocol: TCP}";
    KubernetesServices off = services(Map.of());
    off.upsert(pod("web", "10.0.0.1", port));
    assertThat(lines()).isEmpty();

    KubernetesServices on = services(Map.of("kube-proxy-replacement", "strict"));
    on.upsert(pod("web", "", port));
    assertThat(lines()).isEmpty();
    on.upsert(pod("web", "10.0.0.1", port));
    assertThat(lines())
        .containsExactly(
            "HostPort 0.0.0.0:8080 [10.0.0.1:80 ACTIVE]",
            "HostPort 127.0.0.2:8080 [10.0.0.1:80 ACTIVE]");
    assertThat(api.list()).allMatch(s -> s.spec().name().equals("default/web/host-port/8080"));
    on.remove(pod("web", "10.0.0.1", port));
    assertThat(lines()).isEmpty();
    assertThat(failures).isEmpty();
  }

  @Test
  void aHostPortIsAtItsHostIpAlone() {
    KubernetesServices services = services(Map.of("kube-proxy-replacement", "strict"));
    services.upsert(
        pod(
            "web",
            "10.0.0.1",
            "{containerPort: 80, hostPort: 81, hostIP: 192.0.2.1}, {containerPort: 80, hostPort:"
                + " 82, hostIP: 127.0.0.1}, {containerPort: 80, hostPort: 83, protocol: SCTP}"));
    assertThat(lines())
        .containsExactly(
            "HostPort 0.0.0.0:82 [10.0.0.1:80 ACTIVE]",
            "HostPort 192.0.2.1:81 [10.0.0.1:80 ACTIVE]");
  }

  @Test
  void aPodThatGoesLeavesAHostPortThatItsSuccessorHas() {
    KubernetesServices services = services(Map.of("kube-proxy-replacement", "strict"));
    String port = "{containerPort: 80, hostPort: 8080, hostIP: 192.0.2.1}";
    services.upsert(pod("old", "10.0.0.1", port));
    services.upsert(pod("new", "10.0.0.2", port));
    services.remove(pod("old", "10.0.0.1", port));
    assertThat(lines()).containsExactly("HostPort 192.0.2.1:8080 [10.0.0.2:80 ACTIVE]");
  }

  // ---- local redirects

  private static final Map<String, String> REDIRECTING =
      Map.of("enable-local-redirect-policy", "true");

  private static KubeObject redirect(String name, String frontend, String backendPorts) {
    return object(
        """
        kind: CiliumLocalRedirectPolicy
        metadata: {name: %s, namespace: default}
        spec:
          redirectFrontend: {%s}
          redirectBackend:
            localEndpointSelector: {matchLabels: {app: proxy}}
            toPorts: %s
        """
            .formatted(name, frontend, backendPorts));
  }

  private static final String METADATA =
      "addressMatcher: {ip: 169.254.169.254, toPorts: [{port: '80', protocol: TCP}]}";
  private static final String TO_8181 = "[{port: '8181', protocol: TCP}]";

  private static KubeObject pod(String name, String ip, String app, boolean ready) {
    return object(
        """
        kind: Pod
        metadata: {name: %s, namespace: default, labels: {app: %s}}
        spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8181}]}]}
        status: {podIP: %s, phase: Running, conditions: [{type: Ready, status: '%s'}]}
        """
            .formatted(name, app, ip, ready ? "True" : "False"));
  }

  @Test
  void anAddressIsRedirectedToTheNodesReadyPods() {
    KubernetesServices services = services(REDIRECTING);
    services.upsert(redirect("meta", METADATA, TO_8181));
    assertThat(lines()).isEmpty();
    services.upsert(pod("a", "10.0.0.1", "proxy", true));
    services.upsert(pod("b", "10.0.0.2", "proxy", false));
    services.upsert(pod("c", "10.0.0.3", "other", true));
    assertThat(lines()).containsExactly("LocalRedirect 169.254.169.254:80 [10.0.0.1:8181 ACTIVE]");
    services.upsert(pod("b", "10.0.0.2", "proxy", true));
    services.remove(pod("a", "10.0.0.1", "proxy", true));
    assertThat(lines()).containsExactly("LocalRedirect 169.254.169.254:80 [10.0.0.2:8181 ACTIVE]");
    services.remove(redirect("meta", METADATA, TO_8181));
    assertThat(lines()).isEmpty();
    assertThat(failures).isEmpty();
  }

  @Test
  void aServiceIsRedirectedWhileThereIsAPodForIt() {
    KubernetesServices services = services(REDIRECTING);
    services.upsert(slice(TWO));
    services.upsert(service("{type: ClusterIP, clusterIP: 10.96.0.2, " + PORTS + "}"));
    List<String> own = lines();
    KubeObject policy =
        redirect("web", "serviceMatcher: {serviceName: web, namespace: default}", TO_8181);
    services.upsert(policy);
    assertThat(lines()).isEqualTo(own);
    services.upsert(pod("a", "10.0.0.9", "proxy", true));
    List<String> redirected = List.of("LocalRedirect 10.96.0.2:80 [10.0.0.9:8181 ACTIVE]");
    assertThat(lines()).isEqualTo(redirected);
    services.upsert(slice(TWO)); // what becomes of the Service meanwhile does not show
    assertThat(lines()).isEqualTo(redirected);
    services.upsert(pod("a", "10.0.0.9", "proxy", false));
    assertThat(lines()).isEqualTo(own);
    services.upsert(pod("a", "10.0.0.9", "proxy", true));
    assertThat(lines()).isEqualTo(redirected);
    services.remove(policy);
    assertThat(lines()).isEqualTo(own);
    services.remove(service("{}"));
    assertThat(lines()).isEmpty();
    assertThat(failures).isEmpty();
  }

  @Test
  void severalPortsAreJoinedByName() {
    KubernetesServices services = services(REDIRECTING);
    services.upsert(
        service(
            "{clusterIP: 10.96.0.2, ports: [{name: http, port: 80, protocol: TCP}, {name: dns,"
                + " port: 53, protocol: UDP}, {name: more, port: 81, protocol: TCP}]}"));
    services.upsert(
        redirect(
            "web",
            "serviceMatcher: {serviceName: web, namespace: default}",
            "[{port: '9', protocol: UDP, name: dns}, {port: '8181', protocol: TCP, name: http}]"));
    services.upsert(pod("a", "10.0.0.9", "proxy", true));
    // The pod declares no port of the name dns; the policy has none of the name more.
    assertThat(lines())
        .containsExactly(
            "ClusterIP 10.96.0.2:53 []",
            "ClusterIP 10.96.0.2:81 []",
            "LocalRedirect 10.96.0.2:80 [10.0.0.9:8181 ACTIVE]");
    assertThat(services.redirected())
        .singleElement()
        .satisfies(
            one -> {
              assertThat(one.policy().frontendType()).isEqualTo("clusterIP + all svc ports");
              assertThat(one.frontends())
                  .isEqualTo(Map.of("10.96.0.2:80/TCP", List.of("10.0.0.9:8181(default/a)")));
            });
  }

  @Test
  void whatIsRefusedOrTakenRedirectsNothing() {
    KubernetesServices services = services(REDIRECTING);
    services.upsert(pod("a", "10.0.0.1", "proxy", true));
    services.upsert(redirect("first", METADATA, TO_8181));
    services.upsert(redirect("second", METADATA, "[{port: '9', protocol: TCP}]"));
    services.upsert(redirect("udp", METADATA, "[{port: '9', protocol: UDP}]"));
    services.upsert(
        redirect("away", "serviceMatcher: {serviceName: web, namespace: other}", TO_8181));
    services.upsert(redirect("none", "", TO_8181));
    assertThat(lines()).containsExactly("LocalRedirect 169.254.169.254:80 [10.0.0.1:8181 ACTIVE]");
    assertThat(failures)
        .satisfiesExactly(
            why -> assertThat(why).contains("default/second", "default/first"),
            why -> assertThat(why).contains("default/udp", "must be the frontend's, TCP"),
            why -> assertThat(why).contains("default/away", "must be the policy's own, default"),
            why -> assertThat(why).contains("default/none", "not none"));
  }

  @Test
  void redirectsNeedTheOption() {
    KubernetesServices services = services(Map.of());
    services.upsert(pod("a", "10.0.0.1", "proxy", true));
    services.upsert(redirect("meta", METADATA, TO_8181));
    assertThat(lines()).isEmpty();
  }
}
