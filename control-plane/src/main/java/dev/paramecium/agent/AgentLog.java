package dev.paramecium.agent;

import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.api.KubeObject;
import dev.paramecium.log.LogBook;
import dev.paramecium.log.LogWriter;
import dev.paramecium.policy.rule.KubernetesPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What the agent writes to its log, in the words of v1.12.3 ({@code daemon/cmd}, {@code
 * pkg/endpoint}, {@code pkg/k8s/watchers}).
 */
final class AgentLog {

  private final LogWriter daemon;
  private final LogWriter endpoints;
  private final LogWriter watcher;

  AgentLog(ActorRef<LogBook.Command> book) {
    this.daemon = new LogWriter(book, "daemon");
    this.endpoints = new LogWriter(book, "endpoint");
    this.watcher = new LogWriter(book, "k8s-watcher");
  }

  void begin(String nodeName) {
    daemon.info(
        "Cilium "
            + NodeConfig.CILIUM_VERSION
            + " of Paramecium, in the user space of node "
            + nodeName);
  }

  /** The node's programs are loaded, and the socket answers. */
  void initialized(NodeConfig config, Places places, Duration since) {
    daemon.info("Addressing information:");
    daemon.info("  Cluster-Name: " + config.clusterName());
    daemon.info("  Local node-name: " + config.nodeName());
    daemon.info("  External-Node IPv4: " + config.nodeIp());
    daemon.info("  Internal-Node IPv4: " + places.routerIp());
    daemon.info("  IPv4 allocation prefix: " + places.pool().podCidr());
    daemon.info("Daemon initialization completed", "bootstrapTime", since.toNanos() / 1e9 + "s");
    daemon.info("Serving cilium API at unix:///var/run/cilium/cilium.sock");
  }

  void cannot(String what, String error) {
    daemon.warning("Unable to " + what, "error", error);
  }

  /** Every endpoint of before the start is back. */
  void restored(int count) {
    String total = Integer.toString(count);
    daemon.info("Finished regenerating restored endpoints", "regenerated", total, "total", total);
  }

  // ---- endpoints

  /** An endpoint begins, or is taken over from an agent before. */
  void begun(EndpointSpec spec, boolean restored) {
    if (restored) {
      daemon.info("Restored endpoint", fields(spec));
    } else {
      endpoints.info("New endpoint", fields(spec));
    }
  }

  /** An endpoint is another than {@code before}. */
  void changed(EndpointModel before, EndpointModel now) {
    int old = before.identity();
    if (now.identity() != old) {
      endpoints.info(
          "Identity of endpoint changed",
          fields(
              now,
              "identityLabels",
              String.join(",", now.labels()),
              "oldIdentity",
              old == 0 ? "no identity" : Integer.toString(old)));
    }
    if (now.programId() != 0 && before.programId() != now.programId()) {
      endpoints.info("Rewrote endpoint BPF program", fields(now));
    }
    if (is(now, EndpointState.DISCONNECTING) && !is(before, EndpointState.DISCONNECTING)) {
      daemon.info(
          "Delete endpoint request",
          "containerID",
          "",
          "ipv4",
          now.spec().address().toString(),
          "ipv6",
          "");
    }
    if (is(now, EndpointState.NOT_READY) && !is(before, EndpointState.NOT_READY)) {
      endpoints.error("Endpoint regeneration failed", fields(now));
    }
  }

  private static boolean is(EndpointModel model, EndpointState state) {
    return model.state() == state;
  }

  /** An endpoint is ready for the first time. */
  void created(EndpointModel model) {
    daemon.info("Successful endpoint creation", fields(model));
  }

  void removed(EndpointSpec spec) {
    endpoints.info("Removed endpoint", fields(spec));
  }

  private static String[] fields(EndpointSpec spec, String... more) {
    List<String> fields = new ArrayList<>(List.of(more));
    EndpointSpec.PodRef pod = spec.pod();
    fields.addAll(
        List.of(
            "containerID",
            "",
            "endpointID",
            Integer.toString(spec.id()),
            "ipv4",
            spec.address().toString(),
            "ipv6",
            "",
            "k8sPodName",
            pod == null ? "/" : pod.toString()));
    return fields.toArray(String[]::new);
  }

  private static String[] fields(EndpointModel model, String... more) {
    String revision = Long.toString(model.policyRevision());
    List<String> fields = new ArrayList<>(List.of(more));
    fields.addAll(List.of("datapathPolicyRevision", revision, "desiredPolicyRevision", revision));
    if (model.identity() != 0) {
      fields.addAll(List.of("identity", Integer.toString(model.identity())));
    }
    return fields(model.spec(), fields.toArray(String[]::new));
  }

  // ---- policies

  /**
   * A policy was taken in.
   *
   * @param refusal why it was not, empty if it was
   */
  void imported(KubeObject policy, String refusal, long revision) {
    if (!refusal.isEmpty()) {
      watcher.warning(
          isKubernetes(policy)
              ? "Unable to add NetworkPolicy rules to the repository"
              : "Unable to add CiliumNetworkPolicy",
          fields(policy, "error", refusal));
      return;
    }
    daemon.info(
        "Policy imported via API, recalculating...", "policyRevision", Long.toString(revision));
    watcher.info(
        isKubernetes(policy) ? "NetworkPolicy successfully added" : "Imported CiliumNetworkPolicy",
        fields(policy));
  }

  void deleted(KubeObject policy, long revision) {
    daemon.info("Policy deleted, recalculating...", "policyRevision", Long.toString(revision));
    watcher.info(
        isKubernetes(policy) ? "NetworkPolicy successfully removed" : "Deleted CiliumNetworkPolicy",
        fields(policy));
  }

  private static boolean isKubernetes(KubeObject policy) {
    return policy.kind().equals(KubernetesPolicy.KIND);
  }

  private static String[] fields(KubeObject policy, String... more) {
    List<String> fields = new ArrayList<>(List.of(more));
    fields.addAll(List.of("k8sApiVersion", ""));
    if (isKubernetes(policy)) {
      fields.addAll(List.of("k8sNetworkPolicyName", policy.name()));
    } else {
      fields.addAll(
          List.of("ciliumNetworkPolicyName", policy.name(), "k8sNamespace", policy.namespace()));
    }
    return fields.toArray(String[]::new);
  }
}
