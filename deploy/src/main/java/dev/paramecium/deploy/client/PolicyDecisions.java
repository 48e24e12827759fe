package dev.paramecium.deploy.client;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the agents of pods' nodes say of which rule lets a packet pass, or holds it. */
public final class PolicyDecisions {

  private static final int ICMP = 1;

  /** A policy map has an ICMP message's type where the others have a port. */
  private static final int ECHO_REQUEST = 8;

  /** As many as fit into a request line. */
  private static final int QUESTIONS_AT_ONCE = 120;

  private PolicyDecisions() {}

  /**
   * What a pod's policy map says of a packet.
   *
   * @param egress whether the pod sends it
   * @param peer who gets it, or has sent it
   * @param port of the receiver; of ICMP the message's type
   * @param protocol 1, 6, 17 or 132
   */
  public record Question(Pods.Pod pod, boolean egress, Ipv4Address peer, int port, int protocol) {

    /** The sender's and the receiver's, in this order. */
    public static List<Question> between(Pods.Pod from, Pods.Pod to, int port, int protocol) {
      return List.of(
          egress(from, to.address(), port, protocol),
          new Question(to, false, from.address(), key(protocol, port), protocol));
    }

    /** The sender's alone; {@code port} is of no meaning for ICMP. */
    public static Question egress(Pods.Pod from, Ipv4Address to, int port, int protocol) {
      return new Question(from, true, to, key(protocol, port), protocol);
    }

    private static int key(int protocol, int port) {
      return protocol == ICMP ? ECHO_REQUEST : port;
    }

    private List<String> words() {
      return List.of(
          egress ? "egress" : "ingress",
          peer.toString(),
          Integer.toString(port),
          Integer.toString(protocol));
    }
  }

  /**
   * An answer.
   *
   * @param text {@code deny ingress by NetworkPolicy default/web spec.ingress[0]}; or why there is
   *     none
   */
  public record Decision(String pod, String text) {

    public boolean denies() {
      return text.startsWith("deny ");
    }

    @Override
    public String toString() {
      return pod + ": " + text;
    }
  }

  /**
   * The sender's decision and the receiver's, in this order: {@code default/curl: allow egress by
   * NetworkPolicy default/web spec.egress[0]}.
   *
   * @param protocol 1, 6 or 17
   * @param port of the receiver; of no meaning for ICMP
   */
  public static List<String> between(
      ApiHttp api, Pods.Pod from, Pods.Pod to, int protocol, int port) {
    List<Question> questions = Question.between(from, to, port, protocol);
    Map<Question, Decision> answers = answer(api, questions);
    return questions.stream().map(question -> answers.get(question) + "").toList();
  }

  /** Every question's answer; each agent is asked once for each of its pods, all at once. */
  public static Map<Question, Decision> answer(ApiHttp api, Collection<Question> questions) {
    Map<Pods.Pod, List<Question>> byPod = new LinkedHashMap<>();
    questions.forEach(q -> byPod.computeIfAbsent(q.pod(), _ -> new ArrayList<>()).add(q));
    Map<Question, Decision> answers = new ConcurrentHashMap<>();
    List<Runnable> calls = new ArrayList<>();
    byPod.forEach(
        (pod, all) -> {
          for (int i = 0; i < all.size(); i += QUESTIONS_AT_ONCE) {
            List<Question> some = all.subList(i, Math.min(all.size(), i + QUESTIONS_AT_ONCE));
            calls.add(() -> decide(api, pod, some, answers));
          }
        });
    AtOnce.run(calls);
    return answers;
  }

  private static void decide(
      ApiHttp api, Pods.Pod pod, List<Question> questions, Map<Question, Decision> answers) {
    List<String> command = new ArrayList<>(List.of("paramecium-policy", "decide", name(pod)));
    questions.forEach(question -> command.addAll(question.words()));
    List<String> lines;
    try {
      lines = ask(api, pod.node(), command).lines().toList();
    } catch (UserError e) {
      lines = List.of();
      for (Question question : questions) {
        answers.put(question, new Decision(name(pod), String.valueOf(e.getMessage())));
      }
    }
    for (int i = 0; i < lines.size(); i++) {
      answers.put(questions.get(i), new Decision(name(pod), lines.get(i)));
    }
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

  private static String name(Pods.Pod pod) {
    return pod.namespace() + "/" + pod.name();
  }

  /**
   * What a command on a node prints.
   *
   * @throws UserError if it fails
   */
  public static String ask(ApiHttp api, String node, List<String> command) {
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
