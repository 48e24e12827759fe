package dev.paramecium.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.MissingNode;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.FakeKernel;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.desired.DesiredState;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.agent.endpoint.StatusLog;
import dev.paramecium.agent.health.HealthProber;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.policy.ProxyState;
import dev.paramecium.agent.prefilter.Prefilter;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.Change;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.reconciler.MapReconciler.Applied;
import dev.paramecium.agent.service.KubernetesServices;
import dev.paramecium.agent.service.LocalRedirect;
import dev.paramecium.agent.service.ServiceApi;
import dev.paramecium.agent.service.ServiceOptions;
import dev.paramecium.agent.service.Services;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.PolicyOptions;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Result;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Golden texts: the formats of section 15 of the facts file; trailing blanks count. */
class CiliumCommandTest {

  private static final Ipv4Address NODE_IP = Ipv4Address.parse("192.168.1.12");
  private static final Ipv4Address ROUTER = Ipv4Address.parse("10.42.1.247");
  private static final Ipv4Address POD = Ipv4Address.parse("10.42.1.80");
  private static final List<String> LABELS =
      List.of(
          "k8s:app=curl",
          "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default",
          "k8s:io.cilium.k8s.policy.cluster=default",
          "k8s:io.cilium.k8s.policy.serviceaccount=default",
          "k8s:io.kubernetes.pod.namespace=default");

  private final ActorTestKit kit = ActorTestKit.create();
  private final FakeKernel fake = new FakeKernel();
  private final KernelCalls kernel =
      new KernelCalls(kit.spawn(fake.behavior()), kit.system().scheduler());
  private final ActorRef<MapReconciler.Command> reconciler =
      kit.spawn(MapReconciler.create(kernel, InstantSource.system()));
  private final NodePolicy nodePolicy =
      new NodePolicy(PolicyOptions.DEFAULT, new SplittableRandom(1));
  private final List<KubernetesServices.Redirected> redirected = new ArrayList<>();
  private final List<Integer> regenerated = new ArrayList<>();
  private final EndpointApi endpointApi =
      new EndpointApi() {
        @Override
        public List<StatusLog.Entry> log(int endpointId) {
          return new StatusLog(EndpointState.WAITING_FOR_IDENTITY, Instant.EPOCH).newestFirst();
        }

        @Override
        public void regenerate(int endpointId) {
          regenerated.add(endpointId);
        }
      };
  private final DesiredState desired = new DesiredState();
  private @Nullable Prefilter prefilter;
  private @Nullable ActorRef<HealthProber.Command> health;
  private final ServiceApi services =
      new ServiceApi(
          new Services(ServiceOptions.defaults("ubuntu-dev2")),
          reconciler,
          kit.system().scheduler());

  @BeforeEach
  void fillMaps() {
    for (String map : List.of(MapNames.IPCACHE, MapNames.LXC)) {
      reconciler.tell(new MapReconciler.Manage(map, true));
    }
    Services.mapNames().forEach(map -> reconciler.tell(new MapReconciler.Manage(map, true)));
    EndpointInfo info =
        new EndpointInfo(
            29,
            2826,
            0,
            MacAddress.parse("96:86:44:a6:37:ec"),
            MacAddress.parse("d2:ad:65:4d:d0:7b"));
    List<Change> changes = new ArrayList<>(desired.replace("host", Claims.ofHost(NODE_IP, ROUTER)));
    changes.addAll(desired.replace("endpoint", Claims.ofLocalEndpoint(POD, 15773, info)));
    TestProbe<Applied> applied = kit.createTestProbe();
    reconciler.tell(new MapReconciler.Apply(changes, 1, applied.ref()));
    assertThat(applied.receiveMessage().error()).isEmpty();
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private AgentView view() {
    EndpointSpec pod =
        new EndpointSpec(
            2826,
            new PodRef("default", "curl", "uid"),
            "cni-1",
            "lxc48c4aa0637ce",
            "eth0",
            POD,
            ROUTER,
            1500,
            1450,
            NODE_IP);
    EndpointSpec waiting =
        new EndpointSpec(
            31,
            new PodRef("default", "new", "uid2"),
            "cni-2",
            "lxc0",
            "eth0",
            Ipv4Address.parse("10.42.1.9"),
            ROUTER,
            1500,
            1450,
            NODE_IP);
    return new AgentView(
        "default/ubuntu-dev2",
        "v1.24.17",
        "1.12.3",
        4,
        true,
        Instant.EPOCH,
        Instant.EPOCH,
        1042,
        List.of(
            new EndpointModel(
                pod,
                EndpointState.READY,
                "updated security labels",
                15773,
                LABELS,
                29,
                MacAddress.parse("96:86:44:a6:37:ec"),
                MacAddress.parse("d2:ad:65:4d:d0:7b"),
                2901,
                1,
                null,
                NamedPorts.NONE),
            new EndpointModel(
                waiting,
                EndpointState.WAITING_FOR_IDENTITY,
                "updated security labels",
                0,
                List.of(),
                0,
                MacAddress.ZERO,
                MacAddress.ZERO,
                0,
                0,
                null,
                NamedPorts.NONE)),
        Map.of(15773, LABELS),
        List.of(
            new AgentView.Node("default/ubuntu-dev3", "192.168.1.13", "10.42.0.0/24"),
            new AgentView.Node("default/ubuntu-dev2", "192.168.1.12", "10.42.1.0/24")),
        "10.42.1.0/24",
        254,
        Map.of(ROUTER, "router", POD, "default/curl"),
        desired.effective(MapNames.IPCACHE),
        AgentOptions.defaults(),
        prefilter,
        health,
        services,
        () -> redirected,
        reconciler,
        kernel,
        kit.system().scheduler(),
        new ProxyState(
            ROUTER,
            List.of(new ProxyState.Redirect("2826:egress:UDP:53", "cilium-dns-egress", 10042)),
            List.of(
                new ProxyState.CachedName(
                    2826,
                    "example.com.",
                    List.of(Ipv4Address.parse("203.0.113.10")),
                    3600,
                    Instant.EPOCH.plusSeconds(3600)))),
        name -> name.equals("default/curl") ? 15773 : 0,
        endpointApi,
        nodePolicy);
  }

  private CommandOutput run(String... argv) {
    List<String> words = List.of(argv);
    return CiliumCommand.run(words, view()).toCompletableFuture().join();
  }

  private String printed(String... argv) {
    CommandOutput output = run(argv);
    assertThat(output.stderr()).isEmpty();
    assertThat(output.exitCode()).isZero();
    return output.stdout();
  }

  /** Text blocks drop trailing blanks: a bar stands at the end of each line that has some. */
  private static String text(String block) {
    return block.replace("|\n", "\n");
  }

  @Test
  void rulesAreImportedShownAndDeleted() {
    nodePolicy.upsertEndpoint(2826, 15773, LabelSet.parse(LABELS), NamedPorts.NONE);
    String rules =
        """
        [ {
          "endpointSelector" : {
            "matchLabels" : {
              "any:app" : "curl"
            }
          },
          "ingress" : [ {
            "fromEndpoints" : [ {
              "matchLabels" : {
                "reserved:host" : ""
              }
            } ],
            "toPorts" : [ {
              "ports" : [ {
                "port" : "80",
                "protocol" : "TCP"
              } ],
              "rules" : {
                "http" : [ {
                  "path" : "/a",
                  "method" : "GET"
                } ]
              }
            } ]
          } ],
          "labels" : [ {
            "key" : "name",
            "value" : "r1",
            "source" : "unspec"
          } ]
        } ]\
        """;

    assertThat(printed("cilium", "policy", "get")).isEqualTo("[]\nRevision: 1\n");
    assertThat(printed("cilium", "policy", "import", rules)).isEqualTo("Revision: 2\n");
    assertThat(nodePolicy.isDirty()).isTrue();
    nodePolicy.drain();

    String got = printed("cilium", "policy", "get", "name=r1");
    assertThat(got.replaceAll("\\s", "")).isEqualTo((rules + "Revision: 2").replaceAll("\\s", ""));
    assertThat(printed("cilium", "policy", "selectors"))
        .startsWith("SELECTOR")
        .containsPattern(
            "&LabelSelector\\{MatchLabels:map\\[string]string\\{reserved.host: ,},"
                + "MatchExpressions:\\[]LabelSelectorRequirement\\{},} +1 +1 ");
    assertThat(run("cilium", "policy", "get", "name=r2").stderr()).contains("404", "name=r2");
    assertThat(run("cilium", "policy", "delete").stderr()).contains("--all");
    assertThat(run("cilium", "policy", "import", "[{]").stderr()).contains("Cannot parse policy");
    assertThat(run("cilium", "policy", "import", "[{\"ingress\": []}]").exitCode()).isEqualTo(1);
    assertThat(printed("cilium", "policy", "delete", "name=r1")).isEqualTo("Revision: 3\n");
    nodePolicy.drain();
    // What concerns nobody here is a new revision all the same, which somebody may wait for.
    printed(
        "cilium",
        "policy",
        "import",
        "[{\"endpointSelector\": {\"matchLabels\": {\"a\": \"b\"}}}]");
    assertThat(nodePolicy.isDirty()).isTrue();
    assertThat(nodePolicy.drain().values())
        .singleElement()
        .satisfies(map -> assertThat(map.revision()).isEqualTo(4));
    assertThat(nodePolicy.isDirty()).isFalse();
    printed("cilium", "policy", "delete", "--all");
    assertThat(nodePolicy.rules()).isEmpty();
  }

  @Test
  void anEndpointsLogSaysWhatBecameOfIt() {
    assertThat(printed("cilium", "endpoint", "log", "2826"))
        .isEqualTo(
            """
            Timestamp              Status   State                  Message
            1970-01-01T00:00:00Z   OK       waiting-for-identity   Endpoint creation
            """);
    assertThat(printed("cilium", "endpoint", "log", "pod-name:default:curl", "-o", "json"))
        .contains("\"code\": \"OK\"", "\"timestamp\": \"1970-01-01T00:00:00Z\"");
    assertThat(run("cilium", "endpoint", "log").stderr()).contains("missing endpoint id");
    assertThat(run("cilium", "endpoint", "log", "7").stderr()).contains("404");
  }

  @Test
  void localRedirectsAreListedWithTheirPods() {
    redirected.add(
        new KubernetesServices.Redirected(
            new LocalRedirect(
                "default",
                "meta",
                Ipv4Address.parse("169.254.169.254"),
                "",
                List.of(new LocalRedirect.Port(80, "", "TCP")),
                MissingNode.getInstance(),
                List.of(new LocalRedirect.Port(8181, "", "TCP"))),
            Map.of("169.254.169.254:80/TCP", List.of("10.42.1.9:8181(default/proxy)"))));
    assertThat(printed("cilium", "lrp", "list"))
        .isEqualTo(
            text(
                """
                LRP namespace   LRP name   FrontendType                                              Matching Service
                default         meta       IP + port                                                 |
                                |          169.254.169.254:80/TCP -> 10.42.1.9:8181(default/proxy)   |
                """));
    assertThat(printed("cilium", "lrp", "list", "-o", "json")).contains("\"lrp-type\": \"addr\"");
  }

  @Test
  void anEndpointIsRegeneratedWhenSomebodyAsks() {
    assertThat(printed("cilium", "endpoint", "regenerate", "2826"))
        .isEqualTo("Endpoint 2826 successfully regenerated\n");
    assertThat(regenerated).containsExactly(2826);
    assertThat(run("cilium", "endpoint", "regenerate", "7").exitCode()).isEqualTo(1);
  }

  @Test
  void aTraceAsksTheRulesAboutLabels() {
    printed(
        "cilium",
        "policy",
        "import",
        """
        [{"endpointSelector": {"matchLabels": {"role": "db"}},
          "ingress": [{"fromEndpoints": [{"matchLabels": {"role": "web"}}],
                       "toPorts": [{"ports": [{"port": "5432", "protocol": "TCP"}]}]}]}]
        """);
    assertThat(
            printed(
                "cilium",
                "policy",
                "trace",
                "-s",
                "role=web",
                "-d",
                "role=db",
                "--dport",
                "5432/tcp"))
        .isEqualTo(
            """
            ----------------------------------------------------------------

            Tracing From: [any:role=web] => To: [any:role=db] Ports: [5432/TCP]

            Resolving ingress policy for [any:role=db]
            * Rule {"matchLabels":{"any:role":"db"}}: selected
                Allows from labels {"matchLabels":{"any:role":"web"}}
                  Found all required labels
                  Allows port [{5432 TCP}]
            1/1 rules selected
            Found allow rule
            Found no deny rule
            Ingress verdict: allowed

            Final verdict: ALLOWED
            """);
    assertThat(
            printed(
                "cilium",
                "policy",
                "trace",
                "--src-k8s-pod",
                "default:curl",
                "-d",
                "role=db",
                "--dport",
                "5432/tcp"))
        .contains("No label match for [k8s:", "Final verdict: DENIED");
    assertThat(
            printed(
                "cilium",
                "policy",
                "trace",
                "--src-identity",
                "2",
                "--dst-k8s-yaml",
                "kind: Deployment\nspec: {template: {metadata: {labels: {role: db, a: 'b,c'}}}}",
                "--dport",
                "5432",
                "-o",
                "json"))
        .contains("\"verdict\": \"denied\"", "k8s:a=b,c", "No label match for [reserved:world]");
  }

  @Test
  void aTraceSaysWhatItLacks() {
    for (List<String> words :
        List.of(
            List.of("-d", "a"),
            List.of("-s", "a", "--dport", "80"),
            List.of("-s", "a", "-d", "b"),
            List.of("-s", "a", "-d", "b", "--dport", "80/icmp"),
            List.of("-s", "a", "-d", "b", "--dport", "70000"),
            List.of("-s", "a", "--dst-identity", "77", "--dport", "80"),
            List.of("-s", "a", "--dst-endpoint", "77", "--dport", "80"),
            List.of("-s", "a", "--dst-k8s-pod", "curl", "--dport", "80"),
            List.of("-s", "a", "--dst-k8s-pod", "default:gone", "--dport", "80"),
            List.of("-s", "a", "--dst-k8s-yaml", "kind: Service", "--dport", "80"),
            List.of("-s", "a", "--dst-k8s-yaml", "{", "--dport", "80"))) {
      List<String> argv = new ArrayList<>(List.of("cilium", "policy", "trace"));
      argv.addAll(words);
      CommandOutput output = run(argv.toArray(String[]::new));
      assertThat(output.exitCode()).as("%s", words).isEqualTo(1);
      assertThat(output.stderr()).as("%s", words).startsWith("Error: ");
    }
  }

  @Test
  void namesThatEndpointsAskedForAreListed() {
    assertThat(printed("cilium", "fqdn", "cache", "list"))
        .isEqualTo(
            """
            Endpoint   Source   FQDN           TTL    ExpirationTime             IPs   |
            2826       lookup   example.com.   3600   1970-01-01T01:00:00.000Z   203.0.113.10|
            """
                .replace("|", ""));
    assertThat(printed("cilium", "fqdn", "cache", "list", "-o", "json"))
        .contains("\"fqdn\": \"example.com.\"", "\"ttl\": 3600", "\"203.0.113.10\"");
  }

  @Test
  void listsEndpoints() {
    assertThat(printed("cilium", "endpoint", "list"))
        .isEqualTo(
            text(
                """
                ENDPOINT   POLICY (ingress)   POLICY (egress)   IDENTITY        LABELS (source:key[=value])                                              IPv6   IPv4         STATUS   |
                           ENFORCEMENT        ENFORCEMENT                                                                                                                    |
                31         Disabled           Disabled          <no label id>   no labels                                                                       10.42.1.9    waiting-for-identity   |
                1042       Disabled           Disabled          1               reserved:host                                                                                ready                  |
                2826       Disabled           Disabled          15773           k8s:app=curl                                                                    10.42.1.80   ready                  |
                                                                                k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default                                              |
                                                                                k8s:io.cilium.k8s.policy.cluster=default                                                                            |
                                                                                k8s:io.cilium.k8s.policy.serviceaccount=default                                                                     |
                                                                                k8s:io.kubernetes.pod.namespace=default                                                                             |
                """));
  }

  @Test
  void listsIdentities() {
    assertThat(printed("cilium", "identity", "list"))
        .isEqualTo(
            """
            ID      LABELS
            1       reserved:host
            2       reserved:world
            3       reserved:unmanaged
            4       reserved:health
            5       reserved:init
            6       reserved:remote-node
            7       reserved:kube-apiserver
                    reserved:remote-node
            8       reserved:ingress
            15773   k8s:app=curl
                    k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default
                    k8s:io.cilium.k8s.policy.cluster=default
                    k8s:io.cilium.k8s.policy.serviceaccount=default
                    k8s:io.kubernetes.pod.namespace=default
            """);
    assertThat(printed("cilium", "identity", "get", "2"))
        .isEqualTo("ID   LABELS\n2    reserved:world\n");
  }

  @Test
  void listsNodes() {
    assertThat(printed("cilium", "node", "list"))
        .isEqualTo(
            text(
                """
                Name                  IPv4 Address   Endpoint CIDR   IPv6 Address   Endpoint CIDR
                default/ubuntu-dev2   192.168.1.12   10.42.1.0/24                   |
                default/ubuntu-dev3   192.168.1.13   10.42.0.0/24                   |
                """));
  }

  @Test
  void showsWhichPolicyMapAnEndpointHasWithSockops() {
    fake.maps.put(
        MapNames.EP_TO_POLICY,
        new ConcurrentHashMap<>(
            Map.of(
                new Bytes(new EndpointKey(Ipv4Address.parse("10.42.1.80")).encode()),
                new Bytes(new byte[] {42, 0, 0, 0}))));
    assertThat(printed("cilium", "map", "get", "cilium_ep_to_policy"))
        .containsPattern("10\\.42\\.1\\.80:0 +42 +sync");
  }

  @Test
  void showsAMapsCopyWithItsState() {
    assertThat(printed("cilium", "map", "get", "cilium_ipcache").lines())
        .contains(
            "Key               Value                                                State   Error",
            "10.42.1.80/32     identity=15773 encryptkey=0 tunnelendpoint=0.0.0.0   sync    ",
            "0.0.0.0/0         identity=2 encryptkey=0 tunnelendpoint=0.0.0.0       sync    ");
    assertThat(printed("cilium", "map", "get", "cilium_lxc").lines())
        .contains(
            "10.42.1.80:0     id=2826  flags=0x0000 ifindex=29  mac=96:86:44:A6:37:EC"
                + " nodemac=D2:AD:65:4D:D0:7B   sync    ",
            "192.168.1.12:0   (localhost)                                                          "
                + "               sync    ");
    assertThat(printed("cilium", "map", "get", "cilium_tunnel_map"))
        .isEqualTo("Cache is empty\n\n");
    assertThat(printed("cilium", "map", "get", "cilium_ct4_global"))
        .isEqualTo("Cache is disabled\n\n");
    assertThat(run("cilium", "map", "get", "no_such_map").exitCode()).isEqualTo(1);
  }

  @Test
  void showsWhatCouldNotBeWritten() {
    fake.failing = call -> call.startsWith("UpdateMap cilium_lxc");
    TestProbe<Applied> applied = kit.createTestProbe();
    byte[] key = new EndpointKey(Ipv4Address.parse("10.42.1.99")).encode();
    reconciler.tell(
        new MapReconciler.Apply(
            List.of(Change.upsert(MapNames.LXC, key, EndpointInfo.HOST.encode())),
            2,
            applied.ref()));
    assertThat(applied.receiveMessage().error()).contains(MapNames.LXC);
    assertThat(printed("cilium", "map", "get", "cilium_lxc"))
        .containsPattern("10\\.42\\.1\\.99:0 +\\(localhost\\) +to-be-inserted +the test lets");
    assertThat(printed("cilium", "map", "list"))
        .contains("cilium_lxc                 4             1            true\n");
    assertThat(run("cilium", "status", "--brief").stdout())
        .startsWith("error in controller bpf-map-sync-cilium_lxc: 1 entries");
  }

  @Test
  void printsTheOptionsInForce() {
    assertThat(printed("cilium", "config").lines())
        .startsWith("##### Read-Write Configurations #####")
        .contains(
            "MonitorAggregationLevel           : Medium",
            "#### Read-Only Configurations ####",
            "kube-proxy-replacement            : disabled",
            "tunnel                            : vxlan");
    assertThat(printed("cilium", "config", "-r")).startsWith("#### Read-Only");
    assertThat(printed("cilium", "config", "-o", "json")).contains("\"bpf-lb-mode\": \"snat\"");
    assertThat(run("cilium", "config", "Debug=enable").stderr())
        .startsWith("Error: Unable to change agent configuration: Debug=enable is fixed");
  }

  @Test
  void listsMaps() {
    assertThat(printed("cilium", "map", "list"))
        .isEqualTo(
            """
            Name                       Num entries   Num errors   Cache enabled
            cilium_ct4_global          0             0            false
            cilium_ipcache             4             0            true
            cilium_lb4_backends_v2     0             0            true
            cilium_lb4_maglev          0             0            false
            cilium_lb4_reverse_nat     0             0            true
            cilium_lb4_services_v2     0             0            true
            cilium_lb4_source_range    0             0            true
            cilium_lb_affinity_match   0             0            true
            cilium_lxc                 3             0            true
            cilium_tunnel_map          0             0            true
            """);
  }

  @Test
  void listsAddresses() {
    assertThat(printed("cilium", "ip", "list", "-n"))
        .isEqualTo(
            """
            IP                IDENTITY   SOURCE
            0.0.0.0/0         2          local
            10.42.1.80/32     15773      custom-resource
            10.42.1.247/32    1          local
            192.168.1.12/32   1          local
            """);
  }

  @Test
  void reportsItsStatus() {
    assertThat(printed("cilium", "status"))
        .isEqualTo(
            text(
                """
                KVStore:                 Ok   Disabled
                Kubernetes:              Ok   1.24 (v1.24.17) [linux/amd64]
                Kubernetes APIs:         ["cilium/v2::CiliumEndpoint", "cilium/v2::CiliumIdentity", "cilium/v2::CiliumNode", "core/v1::Namespace", "core/v1::Pods"]
                KubeProxyReplacement:    Disabled   |
                Host firewall:           Disabled
                CNI Chaining:            none
                Cilium:                  Ok   1.12.3 (v1.12.3-1c466d2)
                NodeMonitor:             Listening for events on 4 CPUs with 64x4096 of shared memory
                IPAM:                    IPv4: 2/254 allocated from 10.42.1.0/24, |
                BandwidthManager:        Disabled
                Host Routing:            Legacy
                Masquerading:            IPTables [IPv4: Enabled, IPv6: Disabled]
                Controller Status:       11/11 healthy
                Proxy Status:            OK, ip 10.42.1.247, 1 redirects active on ports 10000-20000
                Global Identity Range:   min 256, max 65535
                Hubble:                  Disabled
                Encryption:              Disabled
                Cluster health:      Probe disabled
                """));
    assertThat(printed("cilium", "status", "--brief")).isEqualTo("OK\n");
    assertThat(printed("cilium", "status", "--verbose"))
        .containsPattern("  Protocol +Redirect +Proxy Port\n")
        .containsPattern("  cilium-dns-egress +2826:egress:UDP:53 +10042\n")
        .contains("Allocated addresses:\n  10.42.1.247 (router)\n  10.42.1.80 (default/curl)\n");
  }

  @Test
  void reportsTheClustersHealth() {
    Ipv4Address other = Ipv4Address.parse("192.168.1.13");
    Ipv4Address otherHealth = Ipv4Address.parse("10.42.0.7");
    fake.answers =
        new FakeKernel.Answers() {
          @Override
          public Result<Long> ping(Ipv4Address address) {
            return address.equals(otherHealth)
                ? Result.failed(Errno.ETIMEDOUT, "Connection timed out")
                : Result.ok(312_500L);
          }
        };
    health =
        kit.spawn(
            HealthProber.create(
                "default/ubuntu-dev2",
                kernel,
                InstantSource.fixed(Instant.parse("2022-11-29T10:11:12Z"))));
    health.tell(new HealthProber.Target("default/ubuntu-dev3", other, otherHealth));
    health.tell(new HealthProber.Target("default/ubuntu-dev2", NODE_IP, null));
    assertThat(printed("cilium-health", "ping")).isEqualTo("OK\n");
    assertThat(printed("cilium", "status"))
        .contains("Cilium health daemon:    Ok   \n", "Controller Status:       12/12 healthy\n")
        .endsWith("Cluster health:   2/2 reachable   (2022-11-29T10:11:12Z)\n");
    assertThat(printed("cilium-health", "status", "--probe"))
        .isEqualTo(
            """
            Probe time:   2022-11-29T10:11:12Z
            Nodes:
              default/ubuntu-dev2 (localhost):
                Host connectivity to 192.168.1.12:
                  ICMP to stack:   OK, RTT=312.5µs
                  HTTP to agent:   OK, RTT=0s
              default/ubuntu-dev3:
                Host connectivity to 192.168.1.13:
                  ICMP to stack:   OK, RTT=312.5µs
                  HTTP to agent:   OK, RTT=0s
                Endpoint connectivity to 10.42.0.7:
                  ICMP to stack:   Connection timed out
                  HTTP to agent:   OK, RTT=0s
            """);
    assertThat(printed("cilium", "status"))
        .endsWith(
            """
            Cluster health:         1/2 reachable   (2022-11-29T10:11:12Z)
              Name                  IP              Node        Endpoints
              default/ubuntu-dev3   192.168.1.13    reachable   unreachable
            """);
    assertThat(printed("cilium", "status", "--all-health"))
        .contains("  default/ubuntu-dev2 (localhost)   192.168.1.12    reachable   ");
    assertThat(printed("cilium-health", "status", "-o", "json"))
        .contains("\"latency\": 312500", "\"status\": \"Connection timed out\"");
  }

  @Test
  void saysThatHealthIsNotChecked() {
    assertThat(run("cilium-health", "status").stderr())
        .isEqualTo(
            "Error: dial unix /var/run/cilium/health.sock: connect: no such file or directory\n"
                + "enable-health-checking is off\n");
  }

  @Test
  void printsJsonWhereItLists() {
    assertThat(printed("cilium", "endpoint", "list", "-o", "json"))
        .startsWith("[\n  {\n    \"id\": 31,\n")
        .contains("\"interface-name\": \"lxc48c4aa0637ce\"", "\"host-mac\": \"d2:ad:65:4d:d0:7b\"");
    assertThat(printed("cilium", "endpoint", "get", "2826")).contains("\"state\": \"ready\"");
    assertThat(printed("cilium", "endpoint", "get", "pod-name:default:curl"))
        .isEqualTo(printed("cilium", "endpoint", "get", "2826"));
    assertThat(printed("cilium", "node", "list", "-o", "json"))
        .contains("\"self\": \"default/ubuntu-dev2\"");
    assertThat(printed("cilium", "map", "get", "cilium_lxc", "-o", "json"))
        .contains(
            "\"desired-action\": \"sync\"", "\"path\": \"/sys/fs/bpf/tc/globals/cilium_lxc\"");
    assertThat(printed("cilium", "identity", "list", "-o", "json")).contains("\"id\": 15773");
    assertThat(printed("cilium", "ip", "list", "-o", "json"))
        .contains("\"cidr\": \"10.42.1.80/32\"");
    assertThat(printed("cilium", "version")).startsWith("Client: 1.12.3 1c466d2 ");
  }

  @Test
  void saysWhatIsWrongWithACommand() {
    assertThat(run("cilium", "endpoint", "get", "77").stderr())
        .isEqualTo(
            "Error: Cannot get endpoint 77: [GET /endpoint/{id}][404] getEndpointIdNotFound\n");
    assertThat(run("cilium", "endpoint", "explode").stderr())
        .isEqualTo(
            "Error: unknown command \"explode\" for \"cilium endpoint\": use one of get, list, log,"
                + " regenerate\n");
    assertThat(run("cilium", "status", "--bogus").stderr())
        .isEqualTo("Error: unknown flag: --bogus\n");
    assertThat(run("cilium", "node", "list", "-o", "yaml").exitCode()).isEqualTo(1);
    assertThat(run("cilium", "explode").stderr())
        .isEqualTo(
            "Error: unknown command \"explode\" for \"cilium\"\nRun 'cilium --help' for usage.\n");
  }

  @Test
  void tellsWhatItKnows() {
    assertThat(printed("cilium")).contains("  endpoint    Manage endpoints\n");
    assertThat(printed("cilium", "--help")).isEqualTo(printed("cilium"));
  }

  private void turnPrefilterOn() {
    fake.maps.put(MapNames.CIDR_V4_DYN, new ConcurrentHashMap<>());
    fake.maps.put(MapNames.CIDR_V4_FIX, new ConcurrentHashMap<>());
    prefilter = new Prefilter(kernel);
  }

  @Test
  void prefilterListsWhatItWasGivenWithARevisionForEachChange() {
    turnPrefilterOn();
    assertThat(printed("cilium", "prefilter", "list")).isEqualTo("Revision: 1\n");
    assertThat(
            printed(
                "cilium",
                "prefilter",
                "update",
                "--cidr",
                "203.0.113.9/24,198.51.100.7/32",
                "--revision=1"))
        .isEqualTo("Updated 2 prefilter entries\n");
    assertThat(printed("cilium", "prefilter", "list"))
        .isEqualTo("Revision: 2\n203.0.113.0/24\n198.51.100.7/32\n");
    assertThat(printed("cilium", "prefilter", "delete", "--cidr", "203.0.113.0/24"))
        .isEqualTo("Deleted 1 prefilter entries\n");
    assertThat(printed("cilium", "prefilter", "list", "-o", "json"))
        .contains("\"deny\": [", "\"198.51.100.7/32\"", "\"revision\": 3");
  }

  @Test
  void prefilterChangesNothingForAStaleRevisionOrAnUnknownCidr() {
    turnPrefilterOn();
    printed("cilium", "prefilter", "update", "--cidr", "198.51.100.7/32");
    assertThat(
            run("cilium", "prefilter", "update", "--cidr", "192.0.2.0/24", "--revision", "1")
                .stderr())
        .contains("Latest revision is 2 not 1");
    assertThat(
            run("cilium", "prefilter", "delete", "--cidr", "198.51.100.7/32,192.0.2.0/24").stderr())
        .contains("No map entry for CIDR string 192.0.2.0/24");
    assertThat(run("cilium", "prefilter", "update", "--cidr", "192.0.2.300/24").stderr())
        .contains("Cannot parse CIDR \"192.0.2.300/24\": invalid CIDR address");
    assertThat(printed("cilium", "prefilter", "list")).isEqualTo("Revision: 2\n198.51.100.7/32\n");
  }

  @Test
  void prefilterThatIsOffSaysHowToTurnItOn() {
    assertThat(run("cilium", "prefilter", "list").stderr())
        .contains("Prefilter is not enabled in daemon", "enable-xdp-prefilter=true");
  }
}
