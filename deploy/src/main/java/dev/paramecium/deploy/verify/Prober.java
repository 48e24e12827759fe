package dev.paramecium.deploy.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.AtOnce;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.PolicyDecisions;
import dev.paramecium.deploy.client.PolicyDecisions.Decision;
import dev.paramecium.deploy.client.PolicyDecisions.Question;
import dev.paramecium.deploy.verify.Check.Pair;
import dev.paramecium.deploy.verify.Check.Protocol;
import dev.paramecium.deploy.verify.Report.Outcome;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Sends probes, all of a pod's at once and all pods at once. What is not answered in the first
 * second and is not denied by a rule gets more time, so that a slow machine is not taken for a
 * policy.
 */
public final class Prober {

  public static final String ANSWERED = "answered";
  public static final String REFUSED = "refused";

  private static final long FIRST_LIMIT_MS = 1000;
  private static final long SECOND_LIMIT_MS = 3000;

  /** As many as fit into a request line. */
  private static final int DESTINATIONS_AT_ONCE = 150;

  private static final int ECHO_REQUEST = 8;
  private static final int REFUSED_EXIT_CODE = 3;

  private final ApiHttp api;
  private final Map<PodName, Pods.Pod> pods = new ConcurrentHashMap<>();
  private final Map<Destination.OfService, Ipv4Address> services = new ConcurrentHashMap<>();

  /** A prober of the cluster as it is now: addresses are looked up once. */
  public Prober(ApiHttp api) {
    this.api = api;
  }

  /**
   * Asks, and for what was unexpected or not answered, who decided.
   *
   * @return in the order of {@code checks}
   * @throws UserError if a pod or service is not there, or a probe cannot be run
   */
  public List<Outcome> probe(List<Check> checks) {
    lookUp(checks);
    Map<Pair, String> answers = send(checks.stream().map(Check::pair).toList(), FIRST_LIMIT_MS);
    Set<Pair> doubtful = new LinkedHashSet<>();
    for (Check check : checks) {
      if (isAllowed(answers.get(check.pair())) != check.allowed()
          || !isAllowed(answers.get(check.pair()))) {
        doubtful.add(check.pair());
      }
    }
    Map<Pair, List<Decision>> decisions = decisions(doubtful);
    List<Pair> again =
        doubtful.stream()
            .filter(pair -> !isAllowed(answers.get(pair)) && !isDenied(pair, decisions.get(pair)))
            .toList();
    answers.putAll(send(again, SECOND_LIMIT_MS));
    List<Outcome> outcomes = new ArrayList<>();
    for (Check check : checks) {
      String how = answers.getOrDefault(check.pair(), "");
      outcomes.add(
          new Outcome(
              check,
              isAllowed(how),
              how,
              decisions.getOrDefault(check.pair(), List.of()).stream()
                  .map(Decision::toString)
                  .toList()));
    }
    return outcomes;
  }

  private static boolean isAllowed(@Nullable String how) {
    return ANSWERED.equals(how) || REFUSED.equals(how);
  }

  private static boolean isDenied(Pair pair, @Nullable List<Decision> decisions) {
    return pair.protocol() == Protocol.SCTP
        || (decisions != null && decisions.stream().anyMatch(Decision::denies));
  }

  // ---- packets

  private Map<Pair, String> send(List<Pair> pairs, long limitMs) {
    Map<PodName, List<Pair>> bySource = new LinkedHashMap<>();
    pairs.forEach(pair -> bySource.computeIfAbsent(pair.from(), _ -> new ArrayList<>()).add(pair));
    List<Runnable> runs = new ArrayList<>();
    Map<Pair, String> answers = new ConcurrentHashMap<>();
    bySource.forEach(
        (from, all) -> {
          for (int i = 0; i < all.size(); i += DESTINATIONS_AT_ONCE) {
            List<Pair> some = all.subList(i, Math.min(all.size(), i + DESTINATIONS_AT_ONCE));
            runs.add(() -> send(pod(from), some, limitMs, answers));
          }
        });
    AtOnce.run(runs);
    return answers;
  }

  private void send(Pods.Pod from, List<Pair> pairs, long limitMs, Map<Pair, String> answers) {
    List<String> command =
        new ArrayList<>(List.of("paramecium-probe", "-w", Long.toString(limitMs)));
    for (Pair pair : pairs) {
      command.add(pair.protocol().argument());
      command.add(address(pair.to()).toString());
      command.add(Integer.toString(pair.port()));
    }
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream complaint = new ByteArrayOutputStream();
    int exitCode =
        ExecSession.run(
            api,
            from.execPath() + ExecSession.query(command, "", false, false),
            null,
            output,
            complaint);
    String errors = complaint.toString(StandardCharsets.UTF_8).strip();
    if (pairs.size() == 1) {
      answers.put(
          pairs.getFirst(),
          exitCode == 0 ? ANSWERED : exitCode == REFUSED_EXIT_CODE ? REFUSED : errors);
      return;
    }
    List<String> lines = output.toString(StandardCharsets.UTF_8).lines().toList();
    if (lines.size() != pairs.size()) {
      throw new UserError(
          UserError.FAILED,
          "the probes of " + from.namespace() + "/" + from.name() + " did not run: " + errors);
    }
    for (int i = 0; i < lines.size(); i++) {
      answers.put(pairs.get(i), lines.get(i));
    }
  }

  // ---- who decided

  private Map<Pair, List<Decision>> decisions(Set<Pair> pairs) {
    Map<Pair, List<Question>> questions = new LinkedHashMap<>();
    pairs.forEach(pair -> questions.put(pair, questions(pair)));
    Map<Question, Decision> answers =
        PolicyDecisions.answer(
            api, questions.values().stream().flatMap(List::stream).distinct().toList());
    Map<Pair, List<Decision>> decisions = new LinkedHashMap<>();
    questions.forEach(
        (pair, asked) -> {
          List<Decision> known = new ArrayList<>();
          for (Question question : asked) {
            Decision decision = answers.get(question);
            if (decision != null) {
              known.add(decision);
            }
          }
          if (pair.protocol() == Protocol.SCTP) {
            known.add(
                new Decision(
                    pair.from().toString(),
                    "v1.12.3 drops SCTP before any policy: CT: Unknown L4 protocol"));
          } else if (pair.isToItself()) {
            known.add(
                new Decision(
                    pair.from().toString(),
                    "its packets to itself stay on its lo and meet no policy"));
          }
          decisions.put(pair, known);
        });
    return decisions;
  }

  private List<Question> questions(Pair pair) {
    Pods.Pod from = pod(pair.from());
    int port = pair.protocol() == Protocol.ICMP ? ECHO_REQUEST : pair.port();
    return switch (pair.to()) {
      case Destination.OfPod(PodName to) ->
          pair.isToItself() ? List.of() : Question.between(from, pod(to), port, number(pair));
      case Destination.OfAddress(Ipv4Address address) -> {
        Pods.Pod holder = holder(address);
        yield holder != null
            ? Question.between(from, holder, port, number(pair))
            : List.of(new Question(from, true, address, port, number(pair)));
      }
      case Destination.OfService service -> backends(from, service, pair);
    };
  }

  private static int number(Pair pair) {
    return pair.protocol().number;
  }

  private Pods.@Nullable Pod holder(Ipv4Address address) {
    for (JsonNode pod : api.get("/api/v1/pods").path("items")) {
      if (pod.path("status").path("podIP").asText().equals(address.toString())
          && !pod.path("spec").path("hostNetwork").asBoolean()) {
        return Pods.find(
            api,
            pod.path("metadata").path("namespace").asText()
                + "/"
                + pod.path("metadata").path("name").asText(),
            "default");
      }
    }
    return null;
  }

  /** A service is translated before a policy is asked: what counts is each backend. */
  private List<Question> backends(Pods.Pod from, Destination.OfService service, Pair pair) {
    List<Question> questions = new ArrayList<>();
    String name = "";
    for (JsonNode port : api.get(path(service)).path("spec").path("ports")) {
      if (port.path("port").asInt() == pair.port()) {
        name = port.path("name").asText();
      }
    }
    String query =
        ApiHttp.query(List.of("labelSelector", "kubernetes.io/service-name=" + service.name()));
    for (JsonNode slice :
        api.get(
                "/apis/discovery.k8s.io/v1/namespaces/"
                    + service.namespace()
                    + "/endpointslices"
                    + query)
            .path("items")) {
      for (JsonNode port : slice.path("ports")) {
        if (!port.path("name").asText().equals(name)) {
          continue;
        }
        for (JsonNode endpoint : slice.path("endpoints")) {
          for (JsonNode text : endpoint.path("addresses")) {
            Ipv4Address address = Ipv4Address.parse(text.asText());
            Pods.Pod backend = holder(address);
            int number = port.path("port").asInt();
            questions.addAll(
                backend == null
                    ? List.of(new Question(from, true, address, number, number(pair)))
                    : Question.between(from, backend, number, number(pair)));
          }
        }
      }
    }
    return questions;
  }

  // ---- addresses

  private void lookUp(List<Check> checks) {
    for (Check check : checks) {
      pod(check.pair().from());
      address(check.pair().to());
    }
  }

  private Pods.Pod pod(PodName name) {
    return pods.computeIfAbsent(name, _ -> Pods.find(api, name.toString(), "default"));
  }

  private Ipv4Address address(Destination destination) {
    return switch (destination) {
      case Destination.OfPod(PodName pod) -> pod(pod).address();
      case Destination.OfAddress(Ipv4Address address) -> address;
      case Destination.OfService service -> services.computeIfAbsent(service, this::clusterAddress);
    };
  }

  private static String path(Destination.OfService service) {
    return "/api/v1/namespaces/" + service.namespace() + "/services/" + service.name();
  }

  private Ipv4Address clusterAddress(Destination.OfService service) {
    String address = api.get(path(service)).path("spec").path("clusterIP").asText();
    if (!address.matches("[0-9.]+")) {
      throw new UserError(
          UserError.FAILED,
          service
              + " has no cluster address (clusterIP is \""
              + address
              + "\"): probe its pods instead.");
    }
    return Ipv4Address.parse(address);
  }
}
