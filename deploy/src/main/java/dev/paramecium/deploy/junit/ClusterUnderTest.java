package dev.paramecium.deploy.junit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.verify.Check;
import dev.paramecium.deploy.verify.Check.Pair;
import dev.paramecium.deploy.verify.Check.Protocol;
import dev.paramecium.deploy.verify.ConnectivityTest;
import dev.paramecium.deploy.verify.ConnectivityTest.Labelling;
import dev.paramecium.deploy.verify.ConnectivityTest.Target;
import dev.paramecium.deploy.verify.Destination;
import dev.paramecium.deploy.verify.MatrixPrinter;
import dev.paramecium.deploy.verify.PodName;
import dev.paramecium.deploy.verify.Prober;
import dev.paramecium.deploy.verify.Report;
import dev.paramecium.deploy.verify.Report.Outcome;
import dev.paramecium.deploy.verify.TestFile;
import dev.paramecium.deploy.verify.Verification;
import dev.paramecium.deploy.verify.World;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cluster of a {@link ParameciumTest}. A probe waits until every node's maps have all that was
 * applied before it. For one thread at a time.
 */
public final class ClusterUnderTest {

  private static final Duration LIMIT = Duration.ofSeconds(90);

  private final ApiHttp api;
  private final Class<?> test;
  private World world;
  private boolean settled;

  /**
   * @param test the class beside which resources are looked for
   */
  ClusterUnderTest(ApiHttp api, Class<?> test) {
    this.api = api;
    this.test = test;
    this.world = new World(api);
  }

  /** The API server, for kubectl and other clients: {@code http://127.0.0.1:PORT}. */
  public String apiServer() {
    return api.server();
  }

  // ---- changes

  /**
   * Creates objects, or gives those of their names their spec.
   *
   * @param manifest YAML or JSON, any number of documents
   */
  public void apply(String manifest) {
    apply(Manifests.parse("the test's manifest", manifest));
  }

  /**
   * Like {@link #apply}, from a resource beside the test class, or else a file or folder.
   *
   * @throws UserError if there is neither
   */
  public void applyFile(String name) {
    apply(Manifests.read(path(name)));
  }

  private void apply(List<ObjectNode> objects) {
    settled = false;
    objects.forEach(world::apply);
  }

  private String path(String name) {
    URL resource = test.getResource(name);
    if (resource == null || !resource.getProtocol().equals("file")) {
      return name;
    }
    try {
      return Path.of(resource.toURI()).toString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Deletes an object and waits until it is gone.
   *
   * @param kind such as {@code NetworkPolicy}
   * @param namespace empty for what has none
   */
  public void delete(String kind, String namespace, String name) {
    settled = false;
    world.delete(new Target(kind, namespace, name));
  }

  /**
   * Gives a pod another label.
   *
   * @param pod {@code namespace/name}
   * @param value null removes the label
   */
  public void labelPod(String pod, String key, @Nullable String value) {
    PodName name = PodName.parse(pod);
    label(new Target("Pod", name.namespace(), name.name()), key, value);
  }

  /**
   * Gives a namespace another label.
   *
   * @param value null removes the label
   */
  public void labelNamespace(String namespace, String key, @Nullable String value) {
    label(new Target("Namespace", "", namespace), key, value);
  }

  private void label(Target target, String key, @Nullable String value) {
    settled = false;
    world.label(new Labelling(target, ApiHttp.JSON.createObjectNode().put(key, value)));
  }

  /** Waits until every node has in its maps what was applied; probes do so by themselves. */
  public void settle() {
    if (!settled) {
      world.settle(LIMIT);
      settled = true;
    }
  }

  // ---- questions

  /**
   * Asks by a real packet over TCP.
   *
   * @param from {@code namespace/pod}
   * @param to {@code namespace/pod:port}, {@code address:port} or {@code service
   *     namespace/name:port}
   */
  public Outcome probe(String from, String to) {
    return probe(from, to, Protocol.TCP);
  }

  /**
   * Asks by a real packet.
   *
   * @param to as for TCP; without a port for ICMP
   */
  public Outcome probe(String from, String to, Protocol protocol) {
    return ask(from, to, protocol, true);
  }

  private Outcome ask(String from, String to, Protocol protocol, boolean expected) {
    PodName source = PodName.parse(from);
    int colon = to.lastIndexOf(':');
    if ((protocol == Protocol.ICMP) != (colon < 0)) {
      throw new UserError(
          UserError.USAGE,
          "\""
              + to
              + "\" is no destination of "
              + protocol
              + ": ICMP has no port, others need one.");
    }
    Destination destination = Destination.parse(colon < 0 ? to : to.substring(0, colon));
    int port = colon < 0 ? 0 : port(to.substring(colon + 1));
    touch(source.namespace());
    if (destination instanceof Destination.OfPod(PodName pod)) {
      touch(pod.namespace());
    }
    settle();
    return new Prober(api)
        .probe(List.of(new Check(new Pair(source, destination, protocol, port), expected)))
        .getFirst();
  }

  private void touch(String namespace) {
    settled &= !world.touch(namespace);
  }

  private static int port(String text) {
    if (!text.matches("[0-9]{1,5}")
        || Integer.parseInt(text) < 1
        || Integer.parseInt(text) > 65535) {
      throw new UserError(
          UserError.USAGE, "port \"" + text + "\" must be a number from 1 to 65535.");
    }
    return Integer.parseInt(text);
  }

  /**
   * @throws AssertionError that names the rules that decided, if there is no answer over TCP
   */
  public void assertAllowed(String from, String to) {
    assertReach(from, to, Protocol.TCP, true);
  }

  /** Like {@link #assertAllowed(String, String)}, by another protocol. */
  public void assertAllowed(String from, String to, Protocol protocol) {
    assertReach(from, to, protocol, true);
  }

  /**
   * @throws AssertionError that names the rules that decided, if there is an answer over TCP
   */
  public void assertDenied(String from, String to) {
    assertReach(from, to, Protocol.TCP, false);
  }

  /** Like {@link #assertDenied(String, String)}, by another protocol. */
  public void assertDenied(String from, String to, Protocol protocol) {
    assertReach(from, to, protocol, false);
  }

  private void assertReach(String from, String to, Protocol protocol, boolean expected) {
    Outcome outcome = ask(from, to, protocol, expected);
    if (!outcome.isAsExpected()) {
      throw new AssertionError(
          outcome.sentence() + "\n  " + String.join("\n  ", outcome.decisions()));
    }
  }

  /**
   * Runs a file of kind ConnectivityTest, a resource beside the test class or a file.
   *
   * @throws AssertionError with the matrix, if a pair is not as expected
   */
  public void verify(String name) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);
    MatrixPrinter printer = new MatrixPrinter(out, false);
    boolean passed = true;
    for (ConnectivityTest connectivity : TestFile.read(path(name))) {
      out.println(connectivity.name() + ":");
      Report report = new Verification(api, Verification.Progress.NONE).run(connectivity);
      report.steps().forEach(printer::print);
      passed &= report.passed();
    }
    settled = false;
    if (!passed) {
      throw new AssertionError(
          MatrixPrinter.LEGEND + "\n" + text.toString(StandardCharsets.UTF_8).stripTrailing());
    }
  }

  /**
   * Runs a command in a pod's first container.
   *
   * @param pod {@code namespace/name}
   * @return its stdout
   * @throws AssertionError with its stderr, if it does not end with 0
   */
  public String exec(String pod, String... command) {
    settle();
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    int exitCode =
        ExecSession.run(
            api,
            Pods.find(api, pod, "default").execPath()
                + ExecSession.query(List.of(command), "", false, false),
            null,
            stdout,
            stderr);
    if (exitCode != 0) {
      throw new AssertionError(
          String.join(" ", command)
              + " in "
              + pod
              + " ended with "
              + exitCode
              + ": "
              + stderr.toString(StandardCharsets.UTF_8).strip());
    }
    return stdout.toString(StandardCharsets.UTF_8);
  }

  // ---- between tests

  /** What was applied until now stays until the cluster ends. */
  void keep() {
    world = new World(api);
    settled = false;
  }

  /** Undoes what was applied since. */
  void undo() {
    world.cleanUp();
    keep();
  }
}
