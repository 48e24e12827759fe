package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What the agents of two pods' nodes say of which rule lets a connection pass, or holds it. */
public final class PolicyDecisions {

  private static final int ICMP = 1;

  /** A policy map has an ICMP message's type where the others have a port. */
  private static final int ECHO_REQUEST = 8;

  private PolicyDecisions() {}

  /**
   * The sender's decision and the receiver's, in this order: {@code egress of default/curl: allow
   * egress by NetworkPolicy default/web spec.egress[0]}.
   *
   * @param protocol 1, 6 or 17
   * @param port of the receiver; of no meaning for ICMP
   * @throws UserError if a pod has no identity yet or its agent does not answer
   */
  public static List<String> between(
      ApiHttp api, Pods.Pod from, Pods.Pod to, int protocol, int port) {
    List<String> decisions = new ArrayList<>();
    decisions.add(
        name(from) + ": " + decide(api, from, "egress", identity(api, to), protocol, port));
    decisions.add(
        name(to) + ": " + decide(api, to, "ingress", identity(api, from), protocol, port));
    return decisions;
  }

  /**
   * The whole policy of a pod.
   *
   * @param json as an array, {@code direction, verdict, port, protocol, identity, peer[], rules[]}
   */
  public static String explain(ApiHttp api, Pods.Pod pod, boolean json) {
    List<String> command = new ArrayList<>(List.of("paramecium-policy", "explain", name(pod)));
    if (json) {
      command.addAll(List.of("-o", "json"));
    }
    return ask(api, pod.node(), command);
  }

  private static String decide(
      ApiHttp api, Pods.Pod pod, String direction, long peer, int protocol, int port) {
    return ask(
            api,
            pod.node(),
            List.of(
                "paramecium-policy",
                "decide",
                name(pod),
                direction,
                Long.toString(peer),
                Integer.toString(protocol == ICMP ? ECHO_REQUEST : port),
                Integer.toString(protocol)))
        .strip();
  }

  private static String name(Pods.Pod pod) {
    return pod.namespace() + "/" + pod.name();
  }

  private static long identity(ApiHttp api, Pods.Pod pod) {
    JsonNode endpoint =
        api.get(
            "/apis/cilium.io/v2/namespaces/" + pod.namespace() + "/ciliumendpoints/" + pod.name());
    long identity = endpoint.at("/status/identity/id").asLong();
    if (identity == 0) {
      throw new UserError(UserError.FAILED, "pod " + name(pod) + " has no identity yet.");
    }
    return identity;
  }

  private static String ask(ApiHttp api, String node, List<String> command) {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream complaint = new ByteArrayOutputStream();
    String path =
        "/apis/paramecium.dev/v1alpha1/nodes/"
            + node
            + "/exec"
            + ExecSession.query(command, "", false, false);
    if (ExecSession.run(api, path, null, output, complaint) != 0) {
      throw new UserError(
          UserError.FAILED,
          "node " + node + " answers: " + complaint.toString(StandardCharsets.UTF_8).strip());
    }
    return output.toString(StandardCharsets.UTF_8);
  }
}
