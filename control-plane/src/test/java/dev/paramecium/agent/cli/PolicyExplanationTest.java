package dev.paramecium.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.agent.FakeKernel;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.policy.ProxyState;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.service.ServiceApi;
import dev.paramecium.agent.service.ServiceOptions;
import dev.paramecium.agent.service.Services;
import dev.paramecium.policy.MapState;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.PolicyOptions;
import dev.paramecium.policy.RuleOrigin;
import dev.paramecium.policy.rule.PolicyName;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PolicyExplanationTest {

  private static final Ipv4Address ADDRESS = Ipv4Address.parse("10.42.1.80");
  private static final int FRIEND = 1001;
  private static final int FOE = 1002;

  private final ActorTestKit kit = ActorTestKit.create();
  private final KernelCalls kernel =
      new KernelCalls(kit.spawn(new FakeKernel().behavior()), kit.system().scheduler());
  private final ActorRef<MapReconciler.Command> reconciler =
      kit.spawn(MapReconciler.create(kernel, InstantSource.system()));

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void anAllowNamesItsRule() {
    assertThat(decided("ingress", FRIEND, 80))
        .isEqualTo("allow ingress by NetworkPolicy default/web spec.ingress[0]\n");
  }

  @Test
  void aDenyNamesItsRule() {
    assertThat(decided("ingress", FOE, 443))
        .isEqualTo("deny ingress by CiliumNetworkPolicy default/foes spec.ingressDeny[0]\n");
  }

  @Test
  void aDefaultDenyNamesThePoliciesThatMadeItSo() {
    assertThat(decided("ingress", FRIEND, 81))
        .isEqualTo("deny ingress by default deny of NetworkPolicy default/web spec\n");
  }

  @Test
  void anOpenDirectionSaysThatNoRuleClosesIt() {
    assertThat(decided("egress", FOE, 80)).isEqualTo("allow egress by allow-any-egress\n");
  }

  @Test
  void explainsBothDirectionsByRule() {
    assertThat(run("explain", "default/web").stdout())
        .isEqualTo(
            """
            default/web: endpoint 7, identity 1000, policy revision 5

            May reach it:
            VERDICT   PORT/PROTO   PEER             BY
            deny      ANY          k8s:who=foe      CiliumNetworkPolicy default/foes spec.ingressDeny[0]
            allow     80/TCP       k8s:who=friend   NetworkPolicy default/web spec.ingress[0]
            deny      ANY          anyone else      default deny of NetworkPolicy default/web spec

            It may reach:
            VERDICT   PORT/PROTO   PEER     BY
            allow     ANY          anyone   allow-any-egress
            """);
  }

  @Test
  void anUnknownPodIsNamed() {
    assertThat(run("explain", "default/nobody").stderr())
        .isEqualTo(
            "Error: pod \"default/nobody\" has no endpoint on default/n: use NAMESPACE/POD\n");
  }

  @Test
  void aDecisionWithoutNumbersIsRefused() {
    CommandOutput output = run("decide", "default/web", "ingress", "friend", "80", "6");
    assertThat(output.exitCode()).isEqualTo(1);
    assertThat(output.stderr()).contains("by numbers");
  }

  @Test
  void severalQuestionsGetALineEach() {
    assertThat(
            run(
                    "decide",
                    "default/web",
                    "ingress",
                    "1001",
                    "80",
                    "6",
                    "egress",
                    "8.8.8.8",
                    "53",
                    "17")
                .stdout())
        .isEqualTo(
            """
            allow ingress by NetworkPolicy default/web spec.ingress[0]
            allow egress by allow-any-egress
            """);
  }

  @Test
  void aQuestionWithAWordTooFewIsRefused() {
    assertThat(run("decide", "default/web", "ingress", "1001", "80").exitCode()).isEqualTo(1);
    assertThat(run("decide", "default/web", "sideways", "1001", "80", "6").exitCode()).isEqualTo(1);
  }

  private String decided(String direction, int identity, int port) {
    return run(
            "decide",
            "default/web",
            direction,
            Integer.toString(identity),
            Integer.toString(port),
            "6")
        .stdout();
  }

  private CommandOutput run(String... words) {
    List<String> argv = new ArrayList<>(List.of("paramecium-policy"));
    argv.addAll(List.of(words));
    return CiliumCommand.run(argv, view()).toCompletableFuture().join();
  }

  private static MapState.Entry entry(boolean deny, RuleOrigin origin) {
    return new MapState.Entry(deny, 0, new TreeSet<>(Set.of(origin)));
  }

  private static RuleOrigin origin(String kind, String name, String section) {
    return new RuleOrigin(new PolicyName(kind, "default", name, "uid"), section, List.of());
  }

  private AgentView view() {
    EndpointMap policy =
        new EndpointMap(
            5,
            Map.of(
                new PolicyKey(FRIEND, 80, 6, false),
                entry(false, origin("NetworkPolicy", "web", "spec.ingress[0]")),
                new PolicyKey(FOE, 0, 0, false),
                entry(true, origin("CiliumNetworkPolicy", "foes", "spec.ingressDeny[0]")),
                new PolicyKey(0, 0, 0, true),
                entry(false, RuleOrigin.ALLOW_ANY_EGRESS)),
            true,
            false,
            Set.of("NetworkPolicy default/web spec"),
            Set.of());
    EndpointSpec web =
        new EndpointSpec(
            7,
            new EndpointSpec.PodRef("default", "web", "uid"),
            "cni-1",
            "lxc1",
            "eth0",
            ADDRESS,
            ADDRESS,
            1500,
            1450,
            ADDRESS);
    return new AgentView(
        "default/n",
        "v1.24.17",
        "1.12.3",
        4,
        true,
        Instant.EPOCH,
        Instant.EPOCH,
        1042,
        List.of(
            new EndpointModel(
                web,
                EndpointState.READY,
                "updated security labels",
                1000,
                List.of(),
                29,
                MacAddress.ZERO,
                MacAddress.ZERO,
                1,
                5,
                policy,
                NamedPorts.NONE)),
        Map.of(FRIEND, List.of("k8s:who=friend"), FOE, List.of("k8s:who=foe")),
        List.of(),
        "",
        0,
        Map.of(),
        Map.of(),
        AgentOptions.defaults(),
        null,
        null,
        new ServiceApi(
            new Services(ServiceOptions.defaults("n")), reconciler, kit.system().scheduler()),
        List::of,
        reconciler,
        kernel,
        kit.system().scheduler(),
        ProxyState.NONE,
        _ -> 0,
        new NoEndpoints(),
        new NodePolicy(PolicyOptions.DEFAULT, new SplittableRandom(1)));
  }
}
