package dev.paramecium.deploy.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The API server over HTTP: JSON in, JSON out, and a Status turned into the sentence that kubectl
 * would print.
 */
public final class ApiHttp {

  public static final String TABLE =
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

  public static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final String server;
  private final HttpClient http;

  /**
   * A client that shows nobody who it is.
   *
   * @param server such as {@code http://127.0.0.1:6443}
   */
  public ApiHttp(String server) {
    this(server, null);
  }

  /**
   * A client that shows a certificate, if it has one.
   *
   * @param tls whom it trusts, and its own certificate; null for what every JVM has
   */
  public ApiHttp(String server, @Nullable SSLContext tls) {
    this.server = server;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(3));
    if (tls != null) {
      builder.sslContext(tls);
    }
    this.http = builder.build();
  }

  public String server() {
    return server;
  }

  HttpClient http() {
    return http;
  }

  /** Where a host outside the cluster is served. */
  public static String worldPath(String host) {
    return "/apis/paramecium.dev/v1alpha1/world/" + URLEncoder.encode(host, StandardCharsets.UTF_8);
  }

  /** Whether a host outside the cluster is up. */
  public boolean hasWorldHost(String host) {
    return isOk(worldPath(host));
  }

  /** Whether the API server answers {@code /readyz} with 200. */
  public boolean isReady() {
    return isOk("/readyz");
  }

  private boolean isOk(String path) {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(server + path)).timeout(Duration.ofSeconds(1)).build();
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** How many nodes have condition Ready. */
  public long readyNodes() {
    return readyNodesSince(Instant.MIN);
  }

  /** How many nodes have said since {@code start} that they are Ready. */
  public long readyNodesSince(Instant start) {
    long ready = 0;
    for (JsonNode node : get("/api/v1/nodes").path("items")) {
      ready += isReady(node) && !heartbeat(node).isBefore(start) ? 1 : 0;
    }
    return ready;
  }

  private static Instant heartbeat(JsonNode node) {
    Instant latest = Instant.MIN;
    for (JsonNode condition : node.path("status").path("conditions")) {
      String time = condition.path("lastHeartbeatTime").asText();
      if (condition.path("type").asText().equals("Ready") && !time.isEmpty()) {
        latest = Instant.parse(time);
      }
    }
    return latest;
  }

  /** Whether a node's or pod's condition Ready is True. */
  public static boolean isReady(JsonNode object) {
    for (JsonNode condition : object.path("status").path("conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True");
      }
    }
    return false;
  }

  public JsonNode get(String path) {
    return get(path, "application/json");
  }

  public JsonNode get(String path, String accept) {
    return json(send(request(path).header("Accept", accept).GET().build()));
  }

  /** The object, or a missing node if there is none. */
  public JsonNode find(String path) {
    HttpResponse<InputStream> response =
        send(request(path).header("Accept", "application/json").GET().build());
    if (response.statusCode() == 404) {
      JsonNode status = read(response);
      if (status.path("reason").asText().equals("NotFound") && status.path("details").has("name")) {
        return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
      }
      throw failed(response.statusCode(), status);
    }
    return json(response);
  }

  public JsonNode post(String path, JsonNode body) {
    return json(
        send(
            request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build()));
  }

  /**
   * An object as the server has stored it.
   *
   * @param warnings what the server remarked about it, in its words
   */
  public record Written(JsonNode object, List<String> warnings) {}

  /**
   * Creates or replaces an object, and hears what the server remarks.
   *
   * @param method POST or PUT
   */
  public Written write(String method, String path, JsonNode body) {
    HttpResponse<InputStream> response =
        send(
            request(path)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body.toString()))
                .build());
    return new Written(
        json(response),
        response.headers().allValues("Warning").stream().map(ApiHttp::warningText).toList());
  }

  /** The quoted text of {@code 299 - "text"} (RFC 7234, 5.5). */
  private static String warningText(String header) {
    int from = header.indexOf('"');
    int to = header.lastIndexOf('"');
    return from < 0 || to <= from
        ? header
        : header.substring(from + 1, to).replaceAll("\\\\(.)", "$1");
  }

  public JsonNode mergePatch(String path, JsonNode patch) {
    return json(
        send(
            request(path)
                .header("Content-Type", "application/merge-patch+json")
                .method("PATCH", HttpRequest.BodyPublishers.ofString(patch.toString()))
                .build()));
  }

  public JsonNode delete(String path, JsonNode options) {
    return json(
        send(
            request(path)
                .header("Content-Type", "application/json")
                .method("DELETE", HttpRequest.BodyPublishers.ofString(options.toString()))
                .build()));
  }

  /** A response that is read as it comes: logs, watches, traces. The caller closes it. */
  public InputStream stream(String path) {
    HttpRequest request = HttpRequest.newBuilder(URI.create(server + path)).GET().build();
    return body(send(request));
  }

  /** Like {@link #stream(String)}, with a JSON body. */
  public InputStream stream(String path, JsonNode body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(server + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
            .build();
    return body(send(request));
  }

  private static InputStream body(HttpResponse<InputStream> response) {
    if (response.statusCode() >= 300) {
      throw failed(response.statusCode(), read(response));
    }
    return response.body();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(server + path)).timeout(TIMEOUT);
  }

  private HttpResponse<InputStream> send(HttpRequest request) {
    try {
      return http.send(request, HttpResponse.BodyHandlers.ofInputStream());
    } catch (ConnectException e) {
      throw unreachable();
    } catch (java.net.http.HttpTimeoutException e) {
      throw new UserError(
          UserError.FAILED,
          "the API server at " + server + " did not answer in " + TIMEOUT.toSeconds() + " s.");
    } catch (IOException e) {
      throw new UserError(
          UserError.FAILED, "the connection to " + server + " broke: " + e.getMessage() + ".");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError(UserError.FAILED, "interrupted");
    }
  }

  UserError unreachable() {
    return new UserError(
        UserError.NO_CLUSTER,
        "nothing answers at "
            + server
            + ". Start a cluster with 'paramecium up', or look at 'paramecium status'.");
  }

  private static JsonNode json(HttpResponse<InputStream> response) {
    JsonNode body = read(response);
    if (response.statusCode() >= 300) {
      throw failed(response.statusCode(), body);
    }
    return body;
  }

  private static JsonNode read(HttpResponse<InputStream> response) {
    try (InputStream body = response.body()) {
      byte[] bytes = body.readAllBytes();
      return JSON.readTree(bytes);
    } catch (JsonProcessingException e) {
      throw new UserError(
          UserError.FAILED,
          "the answer of " + response.uri() + " (HTTP " + response.statusCode() + ") is not JSON.");
    } catch (IOException e) {
      throw new UserError(
          UserError.FAILED,
          "the answer of " + response.uri() + " broke off: " + e.getMessage() + ".");
    }
  }

  private static UserError failed(int code, JsonNode status) {
    String reason = status.path("reason").asText("");
    String message = status.path("message").asText("HTTP " + code);
    if (reason.equals("Invalid")) {
      return new UserError(UserError.FAILED, message);
    }
    return new UserError(
        UserError.FAILED,
        "Error from server" + (reason.isEmpty() ? "" : " (" + reason + ")") + ": " + message);
  }

  /**
   * {@code name=value&…} with both sides percent-encoded; answers an empty text or one that starts
   * with {@code ?}.
   */
  public static String query(List<String> namesAndValues) {
    StringBuilder query = new StringBuilder();
    for (int i = 0; i < namesAndValues.size(); i += 2) {
      if (namesAndValues.get(i + 1).isEmpty()) {
        continue;
      }
      query
          .append(query.isEmpty() ? '?' : '&')
          .append(URLEncoder.encode(namesAndValues.get(i), StandardCharsets.UTF_8))
          .append('=')
          .append(URLEncoder.encode(namesAndValues.get(i + 1), StandardCharsets.UTF_8));
    }
    return query.toString();
  }
}
