package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.ServedKind;
import dev.paramecium.apiserver.access.AccessDenied;
import dev.paramecium.apiserver.access.User;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.timeout.ReadTimeoutException;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * One connection: takes requests apart, asks the API server, puts answers together. Streams are
 * handed over to their own actors.
 */
final class RestHandler extends SimpleChannelInboundHandler<FullHttpRequest> {

  private static final Set<HttpMethod> METHODS =
      Set.of(
          HttpMethod.GET,
          HttpMethod.HEAD,
          HttpMethod.POST,
          HttpMethod.PUT,
          HttpMethod.PATCH,
          HttpMethod.DELETE);

  private static final String OWN_GROUP = "/apis/paramecium.dev/v1alpha1/";

  private final RestServer.Services services;
  private final ObjectRequests objects;

  RestHandler(RestServer.Services services) {
    this.services = services;
    this.objects = new ObjectRequests(services);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    RequestDeadline deadline = context.pipeline().get(RequestDeadline.class);
    if (deadline != null) {
      deadline.met();
    }
    if (request.decoderResult().isFailure()) {
      respond(
          context,
          Answer.failure(
              400,
              "BadRequest",
              "the request is not HTTP/1.1: " + request.decoderResult().cause().getMessage()),
          true);
      return;
    }
    try {
      User user = services.access().user(session(context), request.headers());
      RestRequest parsed = RestRequest.of(request, user);
      services.access().require(user, RequestAttributes.of(parsed));
      route(context, request, parsed);
    } catch (AccessDenied e) {
      respond(context, Answer.failure(e.reply()), false);
    } catch (BadRequest e) {
      respond(context, Answer.failure(e.code(), e.reason(), String.valueOf(e.getMessage())), false);
    } catch (IllegalArgumentException e) {
      respond(
          context,
          Answer.failure(400, "BadRequest", "the URL cannot be read: " + e.getMessage()),
          true);
    }
  }

  private static @Nullable SSLSession session(ChannelHandlerContext context) {
    SslHandler tls = context.pipeline().get(SslHandler.class);
    return tls == null ? null : tls.engine().getSession();
  }

  private void route(ChannelHandlerContext context, FullHttpRequest request, RestRequest parsed)
      throws BadRequest {
    String path = parsed.path();
    if (!METHODS.contains(parsed.method())) {
      throw BadRequest.methodNotAllowed();
    }
    if (path.equals("/healthz") || path.equals("/readyz") || path.equals("/livez")) {
      health(context);
      return;
    }
    if (path.startsWith("/openapi/")) {
      respond(context, services.documents().answer(path, parsed.accept()), false);
      return;
    }
    Optional<String> aggregated = Discovery.aggregatedVersion(parsed.accept());
    if (aggregated.isPresent() && (path.equals("/api") || path.equals("/apis"))) {
      respond(context, services.discovery().answer(path.equals("/api"), aggregated.get()), false);
      return;
    }
    Optional<ObjectNode> document =
        services
            .discovery()
            .document(
                path.endsWith("/") && path.length() > 1
                    ? path.substring(0, path.length() - 1)
                    : path,
                String.valueOf(context.channel().localAddress()).replace("/", ""));
    if (document.isPresent()) {
      respond(context, Answer.json(200, document.get()), false);
    } else if (path.startsWith(OWN_GROUP)) {
      own(context, request, parsed, path.substring(OWN_GROUP.length()));
    } else {
      resource(context, request, parsed);
    }
  }

  /** Ready means that the API server answers, not just that something listens. */
  private void health(ChannelHandlerContext context) {
    services
        .api()
        .get(ResourceType.NAMESPACE, "", "default")
        .thenAccept(
            reply ->
                respond(
                    context,
                    reply instanceof ApiReply.Stored
                        ? Answer.text(200, "ok")
                        : Answer.text(503, "the API server is not ready"),
                    false));
  }

  /** Whether a host outside the cluster is up. */
  private void worldHost(ChannelHandlerContext context, RestRequest parsed, String host)
      throws BadRequest {
    parsed.require(HttpMethod.GET);
    KubeletLookup.ofWorld(services, host)
        .thenAccept(
            found ->
                respond(
                    context,
                    switch (found) {
                      case KubeletLookup.Found.Missing missing -> Answer.failure(missing.failure());
                      case KubeletLookup.Found.Kubelet _ ->
                          Answer.json(200, Answer.JSON.createObjectNode().put("name", host));
                    },
                    false));
  }

  private void own(
      ChannelHandlerContext context, FullHttpRequest request, RestRequest parsed, String rest)
      throws BadRequest {
    if (rest.matches("nodes/[^/]+/exec")) {
      ExecStream.openOnNode(context, request, services, rest.split("/", -1)[1], parsed.query());
      return;
    }
    if (rest.matches("world/[^/]+/exec")) {
      ExecStream.openInWorld(context, request, services, rest.split("/", -1)[1], parsed.query());
      return;
    }
    if (rest.matches("world/[^/]+")) {
      worldHost(context, parsed, rest.split("/", -1)[1]);
      return;
    }
    for (RestExtension extension : services.extensions()) {
      if (rest.equals(extension.path())) {
        parsed.require(extension.method());
        ExtensionStream.open(
            context,
            extension,
            parsed.body().isBlank() ? Answer.JSON.createObjectNode() : parsed.json());
        return;
      }
    }
    resource(context, request, parsed);
  }

  private void resource(ChannelHandlerContext context, FullHttpRequest request, RestRequest parsed)
      throws BadRequest {
    ApiPath path = ApiPath.parse(parsed.path()).orElseThrow(BadRequest::notFound);
    Optional<UnstoredKind> review = Reviews.find(path);
    if (review.isPresent() && path.name().isEmpty()) {
      respond(context, Reviews.answer(review.get(), path, parsed, services.access()), false);
      return;
    }
    if (MetricsApi.serves(path)) {
      MetricsApi.answer(context, services, path, parsed);
      return;
    }
    ServedKind kind =
        services
            .kinds()
            .find(path.group(), path.version(), path.plural())
            .orElseThrow(BadRequest::notFound);
    if (kind.type().namespaced() && path.namespace().isEmpty() && !path.name().isEmpty()) {
      throw BadRequest.notFound();
    }
    switch (path.subresource()) {
      case "exec" -> ExecStream.openInPod(context, request, services, path, parsed.query());
      case "attach" -> ExecStream.attach(context, request, services, path, parsed.query());
      case "portforward" -> PortForward.open(context, request, services, path);
      case "log" -> LogStream.open(context, services, path, parsed.query());
      case "" -> objects.object(context, parsed, kind, path);
      case "status" -> {
        if (!kind.hasStatus()) {
          throw BadRequest.notFound();
        }
        objects.object(context, parsed, kind, path);
      }
      case "scale" -> {
        if (!kind.scale().exists()) {
          throw BadRequest.notFound();
        }
        objects.object(context, parsed, kind, path);
      }
      case "binding", "eviction" -> objects.act(context, parsed, kind, path);
      case "token" -> {
        if (!kind.type().equals(ResourceType.SERVICE_ACCOUNT)) {
          throw BadRequest.notFound();
        }
        TokenRequests.answer(context, services, path, parsed);
      }
      case "ephemeralcontainers" -> {
        if (!kind.type().equals(ResourceType.POD)) {
          throw BadRequest.notFound();
        }
        objects.object(context, parsed, kind, path);
      }
      default -> throw BadRequest.notFound();
    }
  }

  /** Writes a whole response, from any thread. */
  static void respond(ChannelHandlerContext context, HttpResponse response, boolean close) {
    if (close) {
      HttpUtil.setKeepAlive(response, false);
    }
    var written = context.writeAndFlush(response);
    if (close) {
      written.addListener(ChannelFutureListener.CLOSE);
    }
  }

  /** A stream takes as long as it takes: from here on silence is no reason to hang up. */
  static void becomeStream(ChannelHandlerContext context) {
    if (context.pipeline().get(ReadTimeoutHandler.class) != null) {
      context.pipeline().remove(ReadTimeoutHandler.class);
    }
    if (context.pipeline().get(RequestDeadline.class) != null) {
      context.pipeline().remove(RequestDeadline.class);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof ReadTimeoutException) && !(cause instanceof java.io.IOException)) {
      services.system().log().debug("a connection is closed: {}", cause.toString());
    }
    var _ = context.close();
  }
}
