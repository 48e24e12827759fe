package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecResult;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Does what probes and hooks ask for, and says what came of it in the real kubelet's words ({@code
 * pkg/probe}, {@code pkg/kubelet/lifecycle}). Connections begin in the node's own namespace, so
 * that their packets take the kubelet's way: the node's stack, {@code cilium_host}, the pod's lxc
 * device, with the identity {@code host}.
 */
final class HandlerRunner {

  /** What came of it. */
  enum Result {
    SUCCESS,
    /** Good enough, but worth an event. */
    WARNING,
    FAILURE,
    /** It could not be tried: that says nothing about the container. */
    ERROR
  }

  /** How it ended, and what there is to say about it. */
  record Outcome(Result result, String output) {}

  private final KernelCalls kernel;

  HandlerRunner(KernelCalls kernel) {
    this.kernel = kernel;
  }

  /** Probes a container. */
  CompletionStage<Outcome> probe(ContainerRecord container, String podIp, ProbeSpec probe) {
    Duration timeout = probe.timeout();
    return switch (probe.handler()) {
      case Handler.Exec(List<String> command) -> exec(container.id, command, timeout);
      case Handler.TcpSocket(String host, String port) ->
          connect(container.spec, host.isEmpty() ? podIp : host, port, timeout);
      case Handler.Grpc(int port, String _) -> grpc(podIp, port, timeout);
      case Handler.HttpGet get -> {
        String host = get.host().isEmpty() ? podIp : get.host();
        yield get(container.spec, host, get, probeHeaders(get), timeout)
            .thenApply(HandlerRunner::judge)
            .exceptionally(
                failure -> new Outcome(Result.FAILURE, failed(container.spec, host, get, failure)));
      }
    };
  }

  /** Runs a lifecycle hook: for HTTP any answer is success. */
  CompletionStage<Outcome> hook(
      ContainerRecord container, String podIp, Handler handler, Duration timeout) {
    return switch (handler) {
      case Handler.Exec(List<String> command) -> exec(container.id, command, timeout);
      case Handler.TcpSocket(String host, String port) ->
          connect(container.spec, host.isEmpty() ? podIp : host, port, timeout);
      case Handler.Grpc(int port, String _) -> grpc(podIp, port, timeout);
      case Handler.HttpGet get -> {
        String host = get.host().isEmpty() ? podIp : get.host();
        yield get(container.spec, host, get, get.headers(), timeout)
            .thenApply(reply -> new Outcome(Result.SUCCESS, reply.body()))
            .exceptionally(
                failure -> new Outcome(Result.FAILURE, failed(container.spec, host, get, failure)));
      }
    };
  }

  // ---- HTTP

  private CompletionStage<HttpReply> get(
      JsonNode container,
      String host,
      Handler.HttpGet get,
      List<HttpRequest.Header> headers,
      Duration timeout) {
    try {
      return kernel.httpGet(
          new HttpRequest(
              get.scheme(),
              Ipv4Address.parse(host),
              port(container, get.port()),
              target(get.path()),
              headers,
              timeout.toMillis()));
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedFuture(
          new IllegalArgumentException("dial tcp: lookup " + host + ": no such host", e));
    }
  }

  /** The headers that a probe sends unless the manifest says otherwise. */
  private static List<HttpRequest.Header> probeHeaders(Handler.HttpGet get) {
    List<HttpRequest.Header> headers = new ArrayList<>();
    if (lacks(get, "User-Agent")) {
      headers.add(new HttpRequest.Header("User-Agent", "kube-probe/1.24"));
    }
    if (lacks(get, "Accept")) {
      headers.add(new HttpRequest.Header("Accept", "*/*"));
    }
    headers.addAll(get.headers());
    return headers;
  }

  private static boolean lacks(Handler.HttpGet get, String name) {
    return get.headers().stream().noneMatch(header -> header.name().equalsIgnoreCase(name));
  }

  private static String target(String path) {
    return path.startsWith("/") ? path : "/" + path;
  }

  private static Outcome judge(HttpReply reply) {
    int status = reply.status();
    if (status >= 200 && status < 300) {
      return new Outcome(Result.SUCCESS, reply.body());
    }
    return status >= 300 && status < 400
        ? new Outcome(Result.WARNING, "Probe terminated redirects, Response body: " + reply.body())
        : new Outcome(Result.FAILURE, "HTTP probe failed with statuscode: " + status);
  }

  private static String failed(
      JsonNode container, String host, Handler.HttpGet get, Throwable failure) {
    String url =
        get.scheme() + "://" + host + ":" + port(container, get.port()) + target(get.path());
    return "Get \"" + url + "\": " + KernelCalls.message(failure);
  }

  /** A port's number; 0, which nobody listens on, for a name that the container has not. */
  private static int port(JsonNode container, String port) {
    for (JsonNode declared : container.path("ports")) {
      if (declared.path("name").asText().equals(port)) {
        return declared.path("containerPort").asInt();
      }
    }
    return port.matches("[0-9]{1,5}") ? Integer.parseInt(port) : 0;
  }

  // ---- TCP and gRPC

  private CompletionStage<Outcome> connect(
      JsonNode container, String host, String port, Duration timeout) {
    Ipv4Address address;
    try {
      address = Ipv4Address.parse(host);
    } catch (IllegalArgumentException _) {
      return CompletableFuture.completedFuture(
          new Outcome(Result.FAILURE, "dial tcp: lookup " + host + ": no such host"));
    }
    return kernel
        .connectTcp(address, port(container, port), timeout)
        .thenApply(_ -> new Outcome(Result.SUCCESS, ""))
        .exceptionally(failure -> new Outcome(Result.FAILURE, KernelCalls.message(failure)));
  }

  /**
   * Connects. No program of the emulated network speaks HTTP/2, so that nobody completes the
   * handshake which a gRPC client waits for.
   */
  private CompletionStage<Outcome> grpc(String podIp, int port, Duration timeout) {
    Outcome unanswered =
        new Outcome(
            Result.FAILURE,
            "timeout: failed to connect service \""
                + podIp
                + ":"
                + port
                + "\" within "
                + timeout.toSeconds()
                + "s: context deadline exceeded");
    return kernel.connectTcp(Ipv4Address.parse(podIp), port, timeout).handle((_, _) -> unanswered);
  }

  // ---- commands

  private CompletionStage<Outcome> exec(
      String containerId, List<String> command, Duration timeout) {
    return kernel
        .execSync(containerId, command, timeout)
        .handle((result, failure) -> failure == null ? judge(result) : judge(command, failure));
  }

  private static Outcome judge(ExecResult result) {
    return new Outcome(result.exitCode() == 0 ? Result.SUCCESS : Result.FAILURE, result.output());
  }

  private static Outcome judge(List<String> command, Throwable failure) {
    return KernelCalls.errno(failure) == Errno.ETIMEDOUT
        ? new Outcome(Result.FAILURE, "command \"" + String.join(" ", command) + "\" timed out")
        : new Outcome(
            Result.ERROR,
            "rpc error: code = Unknown desc = failed to exec in container: "
                + KernelCalls.message(failure));
  }
}
