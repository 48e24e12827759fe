package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What may be done to a pod's ephemeral containers, and where. */
class EphemeralContainersTest {

  private final TestCluster cluster = new TestCluster();

  @BeforeEach
  void createPod() {
    cluster.createPod("curl", "curl", "node-1");
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private ApiReply patch(String subresource, String spec) {
    return cluster
        .api
        .mergePatch(ResourceType.POD, "default", "curl", subresource, "{\"spec\":" + spec + "}")
        .toCompletableFuture()
        .join();
  }

  private static String list(String container) {
    return "{\"ephemeralContainers\":[" + container + "]}";
  }

  private void assertRefused(ApiReply reply, String why) {
    assertThat(reply).isInstanceOf(ApiReply.Failed.class);
    ApiReply.Failed failed = (ApiReply.Failed) reply;
    assertThat(failed.code()).isEqualTo(422);
    assertThat(failed.message()).contains(why);
  }

  @Test
  void addsOneThroughTheSubresourceOfWhichNothingElseCounts() {
    String wanted =
        """
        {"priority":7,"ephemeralContainers":[{"name":"debugger","image":"busybox"}]}
        """;
    ApiReply reply = patch("ephemeralcontainers", wanted);
    assertThat(reply).isInstanceOf(ApiReply.Stored.class);
    KubeObject pod = cluster.find(ResourceType.POD, "default", "curl");
    assertThat(pod.text("/spec/ephemeralContainers/0/name")).isEqualTo("debugger");
    assertThat(pod.text("/spec/ephemeralContainers/0/imagePullPolicy")).isEqualTo("Always");
    assertThat(pod.at("/spec/priority").asInt()).isZero();
    assertThat(pod.at("/metadata/generation").asInt()).isEqualTo(2);
  }

  @Test
  void refusesThemAnywhereElse() {
    String one = "{\"name\":\"debugger\",\"image\":\"busybox\"}";
    assertRefused(patch("", list(one)), "spec: Forbidden: pod updates may not change fields");
    String made =
        """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"new","namespace":"default"},
         "spec":{"containers":[{"name":"c","image":"i"}],"ephemeralContainers":[%s]}}
        """
            .formatted(one);
    assertRefused(
        cluster.api.create(ResourceType.POD, TestCluster.object(made)).toCompletableFuture().join(),
        "spec.ephemeralContainers: Forbidden: cannot be set on create");
  }

  @Test
  void keepsWhatIsThere() {
    patch("ephemeralcontainers", list("{\"name\":\"debugger\",\"image\":\"busybox\"}"));
    assertRefused(
        patch("ephemeralcontainers", list("{\"name\":\"debugger\",\"image\":\"alpine\"}")),
        "existing ephemeral containers \"debugger\" may not be changed");
    assertRefused(
        patch("ephemeralcontainers", list("{\"name\":\"other\",\"image\":\"busybox\"}")),
        "existing ephemeral containers \"debugger\" may not be removed");
  }

  @Test
  void namesWhatOneMustNotHave() {
    assertRefused(
        patch(
            "ephemeralcontainers",
            list("{\"name\":\"d\",\"image\":\"busybox\",\"targetContainerName\":\"nobody\"}")),
        "spec.ephemeralContainers[0].targetContainerName: Not found: \"nobody\"");
    assertRefused(
        patch(
            "ephemeralcontainers",
            list("{\"name\":\"d\",\"image\":\"busybox\",\"ports\":[{\"containerPort\":80}]}")),
        "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container");
    assertRefused(
        patch("ephemeralcontainers", list("{\"name\":\"d\"}")),
        "spec.ephemeralContainers[0].image: Required value");
  }
}
