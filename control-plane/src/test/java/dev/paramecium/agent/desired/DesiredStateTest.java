package dev.paramecium.agent.desired;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.Change;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class DesiredStateTest {

  private static final Ipv4Address OWN = Ipv4Address.parse("192.168.1.11");
  private static final Ipv4Address ROUTER = Ipv4Address.parse("10.42.0.7");

  private static KubeObject endpoint(
      String name, String ip, int identity, int node, long revision) {
    return TestCluster.object(
        """
        {"kind":"CiliumEndpoint",
         "metadata":{"namespace":"default","name":"%s","resourceVersion":"%d"},
         "status":{"identity":{"id":%d},
                   "networking":{"addressing":[{"ipv4":"%s"}],"node":"192.168.1.%d"}}}
        """
            .formatted(name, revision, identity, ip, node));
  }

  private static KubeObject node(int number, long revision) {
    return TestCluster.object(
        """
        {"kind":"CiliumNode","metadata":{"name":"node-%1$d","resourceVersion":"%2$d"},
         "spec":{"addresses":[{"type":"InternalIP","ip":"192.168.1.%1$d"},
                              {"type":"CiliumInternalIP","ip":"10.42.%1$d.9"}],
                 "health":{"ipv4":"10.42.%1$d.10"},
                 "ipam":{"podCIDRs":["10.42.%1$d.0/24"]}}}
        """
            .formatted(number, revision));
  }

  private static String text(Change change) {
    Bytes value = change.value();
    return IpcacheKey.decode(change.key().array())
        + " -> "
        + (value == null ? "nothing" : RemoteEndpointInfo.decode(value.array()));
  }

  @Test
  void keepsTheNewPodOfAnAddressWhenTheOldOneGoesLate() {
    DesiredState state = new DesiredState();
    state.replace("a", Claims.ofCiliumEndpoint(endpoint("a", "10.42.1.5", 300, 12, 10), OWN));
    List<Change> reused =
        state.replace("b", Claims.ofCiliumEndpoint(endpoint("b", "10.42.1.5", 400, 13, 20), OWN));
    assertThat(reused.stream().map(DesiredStateTest::text))
        .containsExactly("10.42.1.5/32 -> identity=400 encryptkey=0 tunnelendpoint=192.168.1.13");
    assertThat(state.remove("a")).isEmpty();
    assertThat(state.remove("b").stream().map(DesiredStateTest::text))
        .containsExactly("10.42.1.5/32 -> nothing");
  }

  @Test
  void believesItsOwnPodBeforeAnotherNodesStaleObject() {
    DesiredState state = new DesiredState();
    Ipv4Address address = Ipv4Address.parse("10.42.0.5");
    dev.paramecium.abi.EndpointInfo info =
        new dev.paramecium.abi.EndpointInfo(
            7, 70, 0, dev.paramecium.abi.MacAddress.ZERO, dev.paramecium.abi.MacAddress.ZERO);
    state.replace("endpoint/70", Claims.ofLocalEndpoint(address, 300, info));
    assertThat(
            state.replace(
                "old", Claims.ofCiliumEndpoint(endpoint("x", "10.42.0.5", 400, 13, 99), OWN)))
        .isEmpty();
  }

  @Test
  void ignoresItsOwnPodsObjectsAndHalfWrittenOnes() {
    assertThat(Claims.ofCiliumEndpoint(endpoint("a", "10.42.0.5", 300, 11, 1), OWN)).isEmpty();
    assertThat(Claims.ofCiliumEndpoint(endpoint("a", "10.42.1.5", 0, 12, 1), OWN)).isEmpty();
    assertThat(Claims.ofCiliumEndpoint(endpoint("a", "not an address", 300, 12, 1), OWN)).isEmpty();
    assertThat(
            Claims.ofRemoteNode(
                TestCluster.object("{\"metadata\":{\"name\":\"x\"}}"),
                ROUTER,
                AgentOptions.defaults()))
        .isEmpty();
  }

  /** Any order of events ends where a computation from scratch ends, and every change counts. */
  @Property(tries = 200)
  void dependsOnTheObjectsAndNotOnTheOrderOfEvents(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    DesiredState incremental = new DesiredState();
    Map<String, List<Claim>> objects = new HashMap<>();
    Map<String, Map<Bytes, Bytes>> maps = new HashMap<>();
    for (long revision = 1; revision <= 150; revision++) {
      boolean isNode = random.nextInt(5) == 0;
      int number = random.nextInt(12, 16);
      String owner = isNode ? "node/" + number : "pod/" + random.nextInt(20);
      List<Claim> claims =
          random.nextInt(4) == 0
              ? List.of()
              : isNode
                  ? Claims.ofRemoteNode(node(number, revision), ROUTER, AgentOptions.defaults())
                  : Claims.ofCiliumEndpoint(
                      endpoint(
                          owner,
                          "10.42." + number + "." + random.nextInt(1, 12),
                          random.nextInt(300, 304),
                          number,
                          revision),
                      OWN);
      objects.put(owner, claims);
      for (Change change : incremental.replace(owner, claims)) {
        Map<Bytes, Bytes> map = maps.computeIfAbsent(change.map(), _ -> new HashMap<>());
        Bytes value = change.value();
        if (value == null) {
          assertThat(map.remove(change.key())).isNotNull();
        } else {
          assertThat(map.put(change.key(), value)).isNotEqualTo(value);
        }
      }
    }
    DesiredState scratch = new DesiredState();
    List<String> owners = new ArrayList<>(objects.keySet());
    java.util.Collections.shuffle(owners, new java.util.Random(seed));
    owners.forEach(owner -> scratch.replace(owner, objects.get(owner)));
    for (String map : List.of(MapNames.IPCACHE, MapNames.TUNNEL)) {
      Map<Bytes, Bytes> expected = new HashMap<>();
      scratch.effective(map).forEach((key, claim) -> expected.put(key, claim.value()));
      assertThat(maps.getOrDefault(map, Map.of())).as("seed %d", seed).isEqualTo(expected);
    }
  }
}
