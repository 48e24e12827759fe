package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.experiment.ExperimentFile.Flow;
import dev.paramecium.deploy.experiment.History.Ends;
import dev.paramecium.deploy.experiment.History.Policies;
import dev.paramecium.deploy.experiment.History.Request;
import dev.paramecium.deploy.experiment.History.Written;
import dev.paramecium.deploy.experiment.PolicyOracle.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * The load of an experiment: pods that ask others, pods that come and go, policies that come and
 * go, and clients that write. What it does goes into the history, with the times of the requests
 * and of their answers; requests that an outage swallows are made again.
 */
final class Workload {

  /** A request of a flow is given up after this time. */
  private static final Duration REQUEST = Duration.ofMillis(500);

  /** A control plane that is away comes back in this time, also on a machine that is busy. */
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  static final String CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

  private final ApiHttp api;
  private final ExperimentFile file;
  private final String run;
  private final History history;
  private final Instant begun = Instant.now();
  private final AtomicBoolean over = new AtomicBoolean();
  private final List<Thread> threads = new ArrayList<>();
  private final List<String> flowPods = new ArrayList<>();
  private final Map<String, JsonNode> policies = new TreeMap<>();

  /**
   * @param run what only objects of this run have in their names and labels
   */
  Workload(ApiHttp api, ExperimentFile file, String run, History history) {
    this.api = api;
    this.file = file;
    this.run = run;
    this.history = history;
    for (ObjectNode object : file.setup()) {
      if (object.path("kind").asText().equals("NetworkPolicy")) {
        policies.put(key(object), object);
      }
    }
    if (history.policies.isEmpty()) {
      history.policies.add(
          new Policies(Instant.EPOCH, Instant.EPOCH, List.copyOf(policies.values())));
    }
  }

  private static String key(JsonNode policy) {
    JsonNode metadata = policy.path("metadata");
    return metadata.path("namespace").asText("default") + "/" + metadata.path("name").asText();
  }

  /** Makes the pods of the flows, and starts everything that goes on by itself. */
  void start() {
    for (Flow flow : file.flows()) {
      create(flow, flow.name());
      flowPods.add(flow.name());
    }
    for (Flow churn : file.churn()) {
      spawn("churn " + churn.name(), () -> churn(churn));
    }
    ExperimentFile.PolicyChurn churned = file.policyChurn();
    if (churned != null) {
      spawn("policies", () -> churnPolicies(churned));
    }
    for (int i = 0; i < file.writers(); i++) {
      String name = "counter-" + run + "-" + i;
      spawn(name, () -> count(name));
    }
  }

  private void spawn(String name, Runnable what) {
    threads.add(
        Thread.ofVirtual()
            .name(name)
            .start(
                () -> {
                  try {
                    what.run();
                  } catch (UserError | UncheckedIOException e) {
                    history.failures.add(name + ": " + e.getMessage());
                  }
                }));
  }

  /** Ends it, and reads what the flows have written down. */
  void stop() throws InterruptedException {
    over.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    for (int i = 0; i < file.flows().size(); i++) {
      read(file.flows().get(i), flowPods.get(i));
    }
    takeAwayChurned();
  }

  // ---- flows

  private void create(Flow flow, String name) {
    String[] to = flow.to().split("/", 2);
    String address = patiently(() -> address(flow, to[0]));
    JsonNode pod = patiently(() -> api.get(Pods.path(to[0], to[1])));
    history.ends.put(
        name,
        new Ends(
            peer(flow.namespace(), flow.labels()),
            peer(to[0], labels(pod)),
            flow.port(),
            flow.protocol()));
    ObjectNode made = ApiHttp.JSON.createObjectNode();
    made.put("apiVersion", "v1").put("kind", "Pod");
    ObjectNode metadata = made.putObject("metadata").put("name", name);
    flow.labels().forEach(metadata.putObject("labels")::put);
    ObjectNode spec = made.putObject("spec").put("terminationGracePeriodSeconds", 0);
    if (!flow.node().isEmpty()) {
      spec.put("nodeName", flow.node());
    }
    double pause = flow.lifetime().isZero() ? flow.every().toMillis() / 1000.0 : 0.2;
    String loop =
        "while true; do paramecium-probe -w %d %s %s %d >/dev/null 2>&1; echo answer $?; sleep %s; done"
            .formatted(
                REQUEST.toMillis(),
                flow.protocol().toLowerCase(java.util.Locale.ROOT),
                address,
                flow.port(),
                pause);
    ObjectNode container = spec.putArray("containers").addObject();
    container.put("name", "asks").put("image", "busybox");
    container.putArray("command").add("sh").add("-c").add(loop);
    patiently(() -> createOnce(Pods.path(flow.namespace(), ""), name, made));
  }

  private String address(Flow flow, String namespace) {
    return flow.via().isEmpty()
        ? Pods.find(api, flow.to(), namespace).address().toString()
        : api.get("/api/v1/namespaces/" + namespace + "/services/" + flow.via())
            .at("/spec/clusterIP")
            .asText();
  }

  private JsonNode createOnce(String collection, String name, ObjectNode object) {
    String base =
        collection.endsWith("/") ? collection.substring(0, collection.length() - 1) : collection;
    JsonNode there = api.find(base + "/" + name);
    return there.isMissingNode() ? api.post(base, object) : there;
  }

  private Peer peer(String namespace, Map<String, String> labels) {
    JsonNode object = patiently(() -> api.get("/api/v1/namespaces/" + namespace));
    return new Peer(namespace, labels, labels(object));
  }

  private static Map<String, String> labels(JsonNode object) {
    Map<String, String> labels = new HashMap<>();
    object
        .at("/metadata/labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return labels;
  }

  /** The lines that a pod's loop has written: when, and how the request ended. */
  private void read(Flow flow, String pod) {
    String path = Pods.path(flow.namespace(), pod);
    JsonNode object = patiently(() -> api.get(path));
    String started = object.at("/status/containerStatuses/0/state/running/startedAt").asText();
    Instant ready = started.isEmpty() ? Instant.now() : Instant.parse(started);
    String log = patiently(() -> text(path + "/log?timestamps=true"));
    for (String line : log.lines().toList()) {
      String[] words = line.split(" ");
      if (words.length == 3 && words[1].equals("answer")) {
        Instant end = Instant.parse(words[0]);
        // 3: the connection was refused, which is an answer.
        if (end.isBefore(begun)) {
          continue; // of the run before
        }
        boolean delivered = words[2].equals("0") || words[2].equals("3");
        history.requests.add(
            new Request(
                flow.name(), pod, end.minus(REQUEST).minusMillis(100), end, delivered, ready));
      }
    }
  }

  private String text(String path) {
    try (InputStream in = api.stream(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- what comes and goes

  private void churn(Flow flow) {
    record Living(String name, Instant until) {}
    List<Living> living = new ArrayList<>();
    for (int i = 0; !over.get(); i++) {
      String name = flow.name() + "-" + run + "-" + i;
      create(flow, name);
      living.add(new Living(name, Instant.now().plus(flow.lifetime())));
      Instant next = Instant.now().plus(flow.every());
      while (!over.get() && Instant.now().isBefore(next)) {
        pause(Duration.ofMillis(50));
      }
      living.removeIf(
          pod -> {
            boolean old = Instant.now().isAfter(pod.until());
            if (old) {
              retire(flow, pod.name());
            }
            return old;
          });
    }
    living.forEach(pod -> retire(flow, pod.name()));
  }

  private void retire(Flow flow, String pod) {
    String path = Pods.path(flow.namespace(), pod);
    JsonNode object = patiently(() -> api.find(path));
    if (object.at("/status/phase").asText().equals("Running")) {
      read(flow, pod);
    }
    delete(path);
  }

  private void churnPolicies(ExperimentFile.PolicyChurn churn) {
    for (int i = 0; !over.get(); i++) {
      ObjectNode policy = churn.policies().get(i % churn.policies().size());
      String namespace = policy.at("/metadata/namespace").asText("default");
      if (policies.containsKey(key(policy))) {
        takeAway(policy);
      } else {
        Instant asked = Instant.now();
        String name = policy.at("/metadata/name").asText();
        patiently(() -> createOnce(policiesOf(namespace), name, policy.deepCopy()));
        policies.put(key(policy), policy);
        noteChange(asked, "applied " + key(policy));
      }
      Instant next = Instant.now().plus(churn.every());
      while (!over.get() && Instant.now().isBefore(next)) {
        pause(Duration.ofMillis(50));
      }
    }
  }

  private static String policiesOf(String namespace) {
    return "/apis/networking.k8s.io/v1/namespaces/" + namespace + "/networkpolicies";
  }

  private void takeAway(JsonNode policy) {
    Instant asked = Instant.now();
    String namespace = policy.at("/metadata/namespace").asText("default");
    delete(policiesOf(namespace) + "/" + policy.at("/metadata/name").asText());
    policies.remove(key(policy));
    noteChange(asked, "took away " + key(policy));
  }

  private void noteChange(Instant asked, String what) {
    Instant answered = Instant.now();
    history.policies.add(new Policies(asked, answered, List.copyOf(policies.values())));
    history.notes.add(
        "%.1f s: %s".formatted(Duration.between(begun, answered).toMillis() / 1000.0, what));
  }

  /** What the next run finds is the setup. */
  private void takeAwayChurned() {
    ExperimentFile.PolicyChurn churned = file.policyChurn();
    if (churned != null) {
      churned.policies().stream()
          .filter(policy -> policies.containsKey(key(policy)))
          .forEach(this::takeAway);
    }
  }

  private void delete(String path) {
    patiently(
        () ->
            api.find(path).isMissingNode()
                ? ApiHttp.JSON.createObjectNode()
                : api.delete(path, ApiHttp.JSON.createObjectNode().put("gracePeriodSeconds", 0)));
  }

  // ---- writers

  /** Counts up in one object; a write without an answer may have taken effect, or may not. */
  private void count(String name) {
    boolean there = false;
    for (long value = 1; !over.get(); value++) {
      ObjectNode object = ApiHttp.JSON.createObjectNode();
      object.put("apiVersion", "v1").put("kind", "ConfigMap");
      object.putObject("metadata").put("name", name).putObject("labels").put("experiment", run);
      object.putObject("data").put("value", Long.toString(value));
      long revision = 0;
      try {
        JsonNode stored =
            there
                ? api.write("PUT", CONFIG_MAPS + "/" + name, object).object()
                : api.post(CONFIG_MAPS, object);
        revision = stored.at("/metadata/resourceVersion").asLong();
        there = true;
      } catch (UserError _) {
        there = there || exists(CONFIG_MAPS + "/" + name);
      }
      history.written.add(new Written(name, value, revision));
      pause(Duration.ofMillis(100));
    }
  }

  private boolean exists(String path) {
    try {
      return !api.find(path).isMissingNode();
    } catch (UserError _) {
      return false;
    }
  }

  // ---- outages

  /** Makes a request until it is answered. */
  static <T> T patiently(Supplier<T> request) {
    Instant limit = Instant.now().plus(PATIENCE);
    while (true) {
      try {
        return request.get();
      } catch (UserError | UncheckedIOException e) {
        if (Instant.now().isAfter(limit)) {
          throw e;
        }
        pause(Duration.ofMillis(300));
      }
    }
  }

  static void pause(Duration time) {
    try {
      TimeUnit.MILLISECONDS.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError(UserError.FAILED, "interrupted");
    }
  }
}
