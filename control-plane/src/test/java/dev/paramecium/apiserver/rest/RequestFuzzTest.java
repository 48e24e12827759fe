package dev.paramecium.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.apiserver.ApiServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Requests that are almost right: each is answered with a status below 500, with a Status object if
 * it is an error, or the connection is closed; and the server goes on, no larger than before. The
 * seed of a run is printed.
 */
class RequestFuzzTest {

  private static final int ROUNDS = Integer.getInteger("paramecium.fuzz", 400);
  private static final long HEAP_SLACK = 64L << 20;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** Where objects are created, and an object that is right. */
  private record Target(String path, String json) {}

  private static final List<Target> TARGETS =
      List.of(
          new Target(
              "/api/v1/namespaces/default/pods",
              """
              {"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","labels":{"a":"b"}},
               "spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],
                 "env":[{"name":"A","value":"b"}],"livenessProbe":{"httpGet":{"port":80}},
                 "resources":{"limits":{"cpu":"1","memory":"1Gi"}}}],
               "tolerations":[{"key":"k","operator":"Exists"}],"nodeSelector":{"a":"b"}}}
              """),
          new Target(
              "/api/v1/namespaces/default/services",
              """
              {"apiVersion":"v1","kind":"Service","metadata":{"name":"x"},
               "spec":{"type":"NodePort","selector":{"a":"b"},
                 "ports":[{"port":80,"targetPort":"http","nodePort":30123,"protocol":"TCP"}],
                 "sessionAffinity":"ClientIP"}}
              """),
          new Target(
              "/apis/apps/v1/namespaces/default/deployments",
              """
              {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},
               "spec":{"replicas":2,"selector":{"matchLabels":{"a":"b"},
                 "matchExpressions":[{"key":"a","operator":"In","values":["b"]}]},
               "strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":1}},
               "template":{"metadata":{"labels":{"a":"b"}},
                 "spec":{"containers":[{"name":"c","image":"i"}]}}}}
              """),
          new Target(
              "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
              """
              {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"x"},
               "spec":{"podSelector":{"matchLabels":{"a":"b"}},"policyTypes":["Ingress"],
               "ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}}],
                 "ports":[{"port":80,"protocol":"TCP","endPort":90}]}]}}
              """),
          new Target(
              "/apis/cilium.io/v2/namespaces/default/ciliumnetworkpolicies",
              """
              {"apiVersion":"cilium.io/v2","kind":"CiliumNetworkPolicy","metadata":{"name":"x"},
               "spec":{"endpointSelector":{"matchLabels":{"a":"b"}},
               "egress":[{"toFQDNs":[{"matchPattern":"*.x.org"}]},
                 {"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}],
                   "rules":{"http":[{"method":"GET","path":"/a.*"}]}}]}]}}
              """),
          new Target(
              "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
              """
              {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
               "metadata":{"name":"xs.example.com"},
               "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"xs","kind":"X"},
               "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":
                 {"type":"object","properties":{"spec":{"type":"object",
                   "x-kubernetes-preserve-unknown-fields":true}}}}}]}}
              """));

  private static final List<String> PATCHES =
      List.of(
          "application/json-patch+json",
          "application/merge-patch+json",
          "application/strategic-merge-patch+json",
          "application/apply-patch+yaml");

  private static ActorTestKit kit;
  private static RestServer rest;

  private final long seed = Long.getLong("paramecium.seed", System.nanoTime());
  private final Random random = new Random(seed);

  RequestFuzzTest() {
    System.out.println("RequestFuzzTest seed " + seed);
  }

  @BeforeAll
  static void start() throws RestServer.BindFailure {
    kit = ActorTestKit.create();
    ActorRef<ApiRequest> server = kit.spawn(ApiServer.inMemory(InstantSource.system()));
    rest =
        RestServer.start(
            kit.system(),
            new ActorApiClient(kit.system(), server),
            server,
            InstantSource.system(),
            List.of(),
            "127.0.0.1",
            0);
  }

  @AfterAll
  static void stop() {
    rest.close();
    kit.shutdownTestKit();
  }

  // ---- one request

  private static String exchange(byte[] request) throws IOException {
    return exchange(request, false);
  }

  /**
   * The answer's status and body; an empty text if the server hung up.
   *
   * @param ends whether to say that no more will come, for a request that is not whole
   */
  private static String exchange(byte[] request, boolean ends) throws IOException {
    try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), rest.port())) {
      socket.setSoTimeout(20_000);
      try {
        OutputStream out = socket.getOutputStream();
        out.write(request);
        if (ends) {
          socket.shutdownOutput();
        }
      } catch (SocketException _) {
        // Hung up on while it was still talking; what it was told may be there.
      }
      try (InputStream in = socket.getInputStream()) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      } catch (SocketException _) {
        return "";
      }
    }
  }

  private static byte[] request(String method, String path, String type, byte[] body) {
    byte[] head =
        (method
                + " "
                + path
                + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: application/json\r\n"
                + (type.isEmpty() ? "" : "Content-Type: " + type + "\r\n")
                + "Content-Length: "
                + body.length
                + "\r\n\r\n")
            .getBytes(StandardCharsets.ISO_8859_1);
    byte[] all = new byte[head.length + body.length];
    System.arraycopy(head, 0, all, 0, head.length);
    System.arraycopy(body, 0, all, head.length, body.length);
    return all;
  }

  private String exchange(String method, String path, String type, String body) throws IOException {
    return exchange(request(method, path, type, body.getBytes(StandardCharsets.UTF_8)));
  }

  private void assertSane(String answer, String what) {
    if (answer.isEmpty()) {
      return;
    }
    String where = "seed " + seed + ": " + what + ": " + answer.lines().findFirst().orElse("");
    assertThat(answer).as(where).startsWith("HTTP/1.1 ");
    int status = Integer.parseInt(answer.substring(9, 12));
    assertThat(status).as("%s\n%s", where, answer).isBetween(200, 499);
    assertThat(answer).as(where).doesNotContain("Exception").doesNotContain("\tat ");
    if (status >= 400 && answer.contains("application/json")) {
      assertThat(answer).as(where).contains("\"kind\":\"Status\"").contains("\"code\":" + status);
    }
  }

  private void assertServes() throws IOException {
    assertThat(exchange("GET", "/readyz", "", "")).as("seed %d", seed).endsWith("ok");
    assertThat(exchange("GET", "/api/v1/namespaces", "", "")).contains("\"default\"");
  }

  // ---- bodies

  @Test
  void bodiesWithAnythingInAnyPlace() throws IOException {
    for (int i = 0; i < ROUNDS; i++) {
      Target target = TARGETS.get(random.nextInt(TARGETS.size()));
      ObjectNode object = (ObjectNode) JSON.readTree(target.json());
      object.withObject("/metadata").put("name", name(target, i));
      for (int change = random.nextInt(3); change >= 0; change--) {
        mutate(object);
      }
      boolean dryRun = random.nextBoolean();
      String path = target.path() + (dryRun ? "?dryRun=All" : "?fieldValidation=Strict");
      assertSane(exchange("POST", path, "application/json", object.toString()), object.toString());
    }
    assertServes();
  }

  private static String name(Target target, int i) {
    return target.path().endsWith("customresourcedefinitions") ? "xs.example.com" : "x" + i;
  }

  /** Puts something else in the place of one value, wherever it is. */
  private void mutate(JsonNode root) {
    List<JsonNode> parents = new ArrayList<>();
    collect(root, parents);
    JsonNode parent = parents.get(random.nextInt(parents.size()));
    if (parent instanceof ObjectNode object && !object.isEmpty()) {
      List<String> names = new ArrayList<>();
      object.fieldNames().forEachRemaining(names::add);
      String name = names.get(random.nextInt(names.size()));
      switch (random.nextInt(4)) {
        case 0 -> object.remove(name);
        case 1 -> object.set(text(), object.get(name).deepCopy());
        default -> object.set(name, anything(0));
      }
    } else if (parent instanceof ArrayNode array && !array.isEmpty()) {
      int place = random.nextInt(array.size());
      if (random.nextInt(3) == 0) {
        array.add(array.get(place).deepCopy());
      } else {
        array.set(place, anything(0));
      }
    }
  }

  private static void collect(JsonNode node, List<JsonNode> parents) {
    if (node.isContainerNode()) {
      parents.add(node);
      node.forEach(child -> collect(child, parents));
    }
  }

  private JsonNode anything(int depth) {
    return switch (random.nextInt(depth > 3 ? 9 : 12)) {
      case 0 -> NODES.nullNode();
      case 1 -> NODES.booleanNode(random.nextBoolean());
      case 2 -> NODES.numberNode(random.nextInt());
      case 3 -> NODES.numberNode(random.nextLong());
      case 4 -> NODES.numberNode(Double.longBitsToDouble(random.nextLong()) % 1e300 + 0.5);
      case 5 -> NODES.numberNode(new java.math.BigInteger("9".repeat(1 + random.nextInt(60))));
      case 6 -> NODES.textNode("x".repeat(random.nextInt(3000)));
      case 7, 8 -> NODES.textNode(text());
      case 9 -> NODES.arrayNode();
      case 10 -> {
        ArrayNode array = NODES.arrayNode();
        for (int i = random.nextInt(4); i >= 0; i--) {
          array.add(anything(depth + 1));
        }
        yield array;
      }
      default -> {
        ObjectNode object = NODES.objectNode();
        for (int i = random.nextInt(4); i >= 0; i--) {
          object.set(text(), anything(depth + 1));
        }
        yield object;
      }
    };
  }

  private String text() {
    String[] texts = {
      "",
      " ",
      "-1",
      "0",
      "65536",
      "1e9",
      "..",
      "a/b",
      "a/b/c",
      "*",
      "%s",
      "\u0000",
      "\ud83e\udda0",
      "\uffff",
      "$patch",
      "f:",
      "10.0.0.0/33",
      "::/0",
      "In",
      "(",
      "[a-",
      "\\",
      "100%",
      "5Gi",
      "-5m",
      "metadata",
      "name",
      "spec",
      "null",
      "2026-01-01T00:00:00Z",
      "x".repeat(260)
    };
    return texts[random.nextInt(texts.length)];
  }

  @Test
  void bytesThatAreNoObject() throws IOException {
    String pods = TARGETS.getFirst().path();
    String[] types = {
      "application/json",
      "application/yaml",
      "application/vnd.kubernetes.protobuf",
      "text/plain",
      "",
      "application/json; charset=utf-16",
      "/"
    };
    for (int i = 0; i < ROUNDS / 2; i++) {
      byte[] body = new byte[random.nextInt(600)];
      random.nextBytes(body);
      if (random.nextBoolean() && body.length > 4) {
        body[0] = 'k';
        body[1] = '8';
        body[2] = 's';
        body[3] = 0;
      }
      String type = types[random.nextInt(types.length)];
      assertSane(exchange(request("POST", pods, type, body)), "random bytes as " + type);
    }
    for (String deep : List.of("[", "{\"a\":", "[{\"a\":")) {
      assertSane(exchange("POST", pods, "application/json", deep.repeat(100_000)), "deep " + deep);
    }
    assertServes();
  }

  // ---- patches

  @Test
  void patchesOfAllFourTypes() throws IOException {
    for (Target target : TARGETS) {
      String object = target.json().replace("\"name\":\"x\"", "\"name\":\"patched\"");
      exchange("POST", target.path(), "application/json", object);
    }
    for (int i = 0; i < ROUNDS; i++) {
      Target target = TARGETS.get(random.nextInt(TARGETS.size()));
      boolean definition = target.path().endsWith("customresourcedefinitions");
      String path = target.path() + "/" + (definition ? "xs.example.com" : "patched");
      String type = PATCHES.get(random.nextInt(PATCHES.size()));
      String body = patch(type, target);
      String query = type.contains("apply") ? "?fieldManager=fuzz&force=true" : "";
      String part = random.nextInt(5) == 0 ? "/status" : "";
      assertSane(
          exchange("PATCH", path + part + query, type, body), type + " of " + path + ": " + body);
    }
    assertServes();
  }

  private String patch(String type, Target target) throws IOException {
    if (type.contains("json-patch")) {
      String[] operations = {"add", "remove", "replace", "move", "copy", "test", "", "drop"};
      String[] pointers = {
        "",
        "/",
        "/spec",
        "/metadata/labels/~2",
        "/spec/ports/-",
        "/spec/ports/99",
        "/metadata/name",
        "/a/b/c",
        "spec",
        "/spec/containers/0",
        "/metadata/managedFields",
        "/status",
        "/kind"
      };
      ArrayNode patch = NODES.arrayNode();
      for (int i = random.nextInt(4); i >= 0; i--) {
        ObjectNode operation = patch.addObject();
        operation.put("op", operations[random.nextInt(operations.length)]);
        operation.put("path", pointers[random.nextInt(pointers.length)]);
        if (random.nextBoolean()) {
          operation.put("from", pointers[random.nextInt(pointers.length)]);
        }
        if (random.nextInt(4) > 0) {
          operation.set("value", anything(0));
        }
      }
      return random.nextInt(8) == 0 ? anything(0).toString() : patch.toString();
    }
    ObjectNode object = (ObjectNode) JSON.readTree(target.json());
    object.withObject("/metadata").remove("name");
    if (random.nextBoolean()) {
      object.withObject("/spec").put("$patch", text());
      object.withObject("/spec").set("$retainKeys", anything(1));
      object.withObject("/spec").set("$setElementOrder/containers", anything(1));
      object.withObject("/metadata").set("$deleteFromPrimitiveList/finalizers", anything(1));
    }
    mutate(object);
    mutate(object);
    return random.nextInt(8) == 0 ? anything(0).toString() : object.toString();
  }

  // ---- paths, queries, headers

  @Test
  void pathsAndQueriesOfAnyShape() throws IOException {
    String[] parts = {
      "api", "apis", "v1", "apps", "namespaces", "default", "pods", "x", "", ".", "..", "%2e%2e",
      "%00", "%zz", "%", "watch", "proxy", "log", "exec", "status", "scale", "openapi", "v3", "v2",
      "cilium.io", "nodes", "~", "a%2Fb", "x".repeat(300), "\u00e9", "finalize", "portforward"
    };
    String[] queries = {
      "limit=-1",
      "limit=x",
      "continue=e30",
      "continue=%ff",
      "resourceVersion=-5",
      "resourceVersion=abc",
      "resourceVersionMatch=Never",
      "labelSelector=a+in+(",
      "labelSelector=!",
      "fieldSelector=a",
      "fieldSelector=metadata.name%3D%3D",
      "watch=maybe",
      "timeoutSeconds=-1",
      "pretty=",
      "fieldManager=" + "x".repeat(300),
      "gracePeriodSeconds=-9",
      "propagationPolicy=No",
      "dryRun=Some",
      "allowWatchBookmarks=7",
      "sendInitialEvents=true",
      "=",
      "&&&",
      "%",
      "a[]=1",
      "tailLines=-3",
      "sinceSeconds=x",
      "command=%00",
      "container="
    };
    String[] methods = {
      "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW", "TRACE"
    };
    for (int i = 0; i < ROUNDS; i++) {
      StringBuilder path = new StringBuilder();
      for (int part = random.nextInt(8); part >= 0; part--) {
        path.append('/').append(parts[random.nextInt(parts.length)]);
      }
      if (random.nextInt(3) == 0) {
        path.setLength(0);
        path.append(TARGETS.get(random.nextInt(TARGETS.size())).path());
      }
      for (int query = random.nextInt(3); query > 0; query--) {
        path.append(path.indexOf("?") < 0 ? '?' : '&');
        path.append(queries[random.nextInt(queries.length)]);
      }
      String method = methods[random.nextInt(methods.length)];
      if (path.indexOf("watch=") > 0 && method.equals("GET")) {
        path.append("&timeoutSeconds=1");
      }
      String answer = exchange(method, path.toString(), "application/json", "{}");
      if (!method.equals("HEAD")) {
        assertSane(answer, method + " " + path);
      }
    }
    assertServes();
  }

  @Test
  void headersThatAreTooManyTooLongOrNone() throws IOException {
    List<String> heads =
        List.of(
            "GET / HTTP/1.1\r\nHost: x\r\nX: " + "y".repeat(200_000) + "\r\n\r\n",
            "GET / HTTP/1.1\r\n" + "A: b\r\n".repeat(20_000) + "\r\n",
            "GET /" + "z".repeat(100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/9.9\r\nHost: x\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "GET /api HTTP/1.1\r\nAccept: ,;q=,*/*;as=Table;g=\r\nConnection: close\r\n\r\n",
            "GET /api/v1/namespaces/default/pods/x/exec?command=a HTTP/1.1\r\n"
                + "Connection: Upgrade\r\n"
                + "Upgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 99\r\n\r\n",
            "GET /api/v1/namespaces/default/pods/x/exec?command=a HTTP/1.1\r\n"
                + "Connection: Upgrade\r\n"
                + "Upgrade: SPDY/9\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\r\n\r\n\r\n");
    for (String head : heads) {
      String answer = exchange(head.getBytes(StandardCharsets.ISO_8859_1), true);
      assertSane(answer, head.substring(0, Math.min(80, head.length())));
    }
    assertServes();
  }

  // ---- size

  @Test
  void largeBodiesLeaveNothingBehind() throws IOException {
    String pods = TARGETS.getFirst().path();
    byte[] large = new byte[10 << 20];
    java.util.Arrays.fill(large, (byte) ' ');
    byte[] text = ("{\"a\":\"" + "b".repeat(10 << 20) + "\"}").getBytes(StandardCharsets.UTF_8);
    assertSane(exchange(request("POST", pods, "application/json", large)), "10 MiB of blanks");
    long before = usedHeap();
    for (int i = 0; i < 20; i++) {
      String answer = exchange(request("POST", pods, "application/json", text));
      assertSane(answer, "10 MiB of text");
      assertThat(answer).as("not stored").doesNotContain("HTTP/1.1 2");
    }
    assertServes();
    assertThat(usedHeap()).as("heap after the requests").isLessThan(before + HEAP_SLACK);
  }

  private static long usedHeap() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
