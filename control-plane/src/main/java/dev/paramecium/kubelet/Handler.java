package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.syscall.HttpRequest.Header;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a probe or a lifecycle hook does ({@code v1.ProbeHandler}, {@code v1.LifecycleHandler}). */
sealed interface Handler {

  /**
   * A GET.
   *
   * @param host empty for the pod's address
   * @param port a number, or the name of one of the container's ports
   */
  record HttpGet(String scheme, String host, String port, String path, List<Header> headers)
      implements Handler {}

  /** A connection; host and port as in {@link HttpGet}. */
  record TcpSocket(String host, String port) implements Handler {}

  /** A command in the container. */
  record Exec(List<String> command) implements Handler {}

  /** gRPC's health check, to the pod's address. */
  record Grpc(int port, String service) implements Handler {}

  /** The handler that a manifest describes; null if there is none. */
  static @Nullable Handler parse(JsonNode json) {
    if (json.path("httpGet").isObject()) {
      JsonNode get = json.path("httpGet");
      List<Header> headers = new ArrayList<>();
      for (JsonNode header : get.path("httpHeaders")) {
        headers.add(new Header(header.path("name").asText(), header.path("value").asText()));
      }
      String scheme = get.path("scheme").asText("HTTP").equals("HTTPS") ? "https" : "http";
      return new HttpGet(
          scheme,
          get.path("host").asText(),
          get.path("port").asText(),
          get.path("path").asText("/"),
          List.copyOf(headers));
    }
    if (json.path("tcpSocket").isObject()) {
      JsonNode socket = json.path("tcpSocket");
      return new TcpSocket(socket.path("host").asText(), socket.path("port").asText());
    }
    if (json.path("exec").isObject()) {
      List<String> command = new ArrayList<>();
      json.at("/exec/command").forEach(word -> command.add(word.asText()));
      return new Exec(List.copyOf(command));
    }
    if (json.path("grpc").isObject()) {
      return new Grpc(json.at("/grpc/port").asInt(), json.at("/grpc/service").asText());
    }
    return null;
  }
}
