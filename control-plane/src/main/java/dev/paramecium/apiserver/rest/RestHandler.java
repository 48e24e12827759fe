package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.api.WriteOptions;
import dev.paramecium.apiserver.Scales;
import dev.paramecium.apiserver.ServedKind;
import dev.paramecium.apiserver.YamlText;
import dev.paramecium.apiserver.schema.OpenApi;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.ReadTimeoutException;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * One connection: takes requests apart, asks the API server, puts answers together. Streams are
 * handed over to their own actors.
 */
final class RestHandler extends SimpleChannelInboundHandler<FullHttpRequest> {

  private static final java.time.Duration TIMEOUT = java.time.Duration.ofSeconds(15);

  /** JSON also when nothing is said, as curl's users may do. */
  private static final Pattern BODY_TYPE =
      Pattern.compile("$|application/(json|yaml|vnd\\.kubernetes\\.protobuf)\\s*(;|$)");

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

  RestHandler(RestServer.Services services) {
    this.services = services;
  }

  /** A request with its URL and body taken apart. */
  private record Parsed(
      HttpMethod method,
      String path,
      Query query,
      String contentType,
      String accept,
      String userAgent,
      String body) {}

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
      QueryStringDecoder url = new QueryStringDecoder(request.uri());
      Parsed parsed =
          new Parsed(
              request.method(),
              url.path(),
              new Query(url.parameters()),
              header(request, HttpHeaderNames.CONTENT_TYPE.toString()),
              header(request, HttpHeaderNames.ACCEPT.toString()),
              header(request, HttpHeaderNames.USER_AGENT.toString()),
              body(request));
      route(context, request, parsed);
    } catch (BadRequest e) {
      respond(context, Answer.failure(e.code(), e.reason(), String.valueOf(e.getMessage())), false);
    } catch (IllegalArgumentException e) {
      respond(
          context,
          Answer.failure(400, "BadRequest", "the URL cannot be read: " + e.getMessage()),
          true);
    }
  }

  /** The body as text; protobuf becomes the JSON that it stands for. */
  private static String body(FullHttpRequest request) throws BadRequest {
    return header(request, HttpHeaderNames.CONTENT_TYPE.toString())
            .startsWith(KubernetesProtobuf.CONTENT_TYPE)
        ? KubernetesProtobuf.decode(ByteBufUtil.getBytes(request.content())).toString()
        : request.content().toString(StandardCharsets.UTF_8);
  }

  private static String header(FullHttpRequest request, String name) {
    String value = request.headers().get(name);
    return value == null ? "" : value;
  }

  private void route(ChannelHandlerContext context, FullHttpRequest request, Parsed parsed)
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
      respond(context, openApi(path, parsed.accept()), false);
      return;
    }
    Optional<String> aggregated = aggregatedVersion(parsed.accept());
    if (aggregated.isPresent() && (path.equals("/api") || path.equals("/apis"))) {
      respond(context, aggregated(path.equals("/api"), aggregated.get()), false);
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

  private FullHttpResponse openApi(String path, String accept) throws BadRequest {
    OpenApi documents = new OpenApi(services.kinds().all());
    if (path.equals("/openapi/v2")) {
      ObjectNode document = documents.version2();
      // kubectl 1.20 cannot read the media type that it asks for, so it gets none that says more.
      return accept.contains("protobuf")
          ? Answer.of(200, "application/octet-stream", GnosticDocument.encode(document))
          : Answer.json(200, document);
    }
    if (path.equals("/openapi/v3")) {
      return Answer.json(200, documents.index());
    }
    return Answer.json(
        200,
        documents
            .version3(path.substring(path.indexOf('/', 9) + 1))
            .orElseThrow(BadRequest::notFound));
  }

  /** The version of aggregated discovery that a client takes before plain JSON, if any. */
  private static Optional<String> aggregatedVersion(String accept) {
    for (String type : accept.split(",", -1)) {
      if (type.contains("as=APIGroupDiscoveryList")) {
        return Optional.of(type.contains("v=v2beta1") ? "v2beta1" : "v2");
      } else if (type.strip().equals("application/json")) {
        break;
      }
    }
    return Optional.empty();
  }

  private FullHttpResponse aggregated(boolean core, String version) {
    return Answer.of(
        200,
        "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList",
        Answer.bytes(services.discovery().aggregated(core, "apidiscovery.k8s.io/" + version)));
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

  private void own(
      ChannelHandlerContext context, FullHttpRequest request, Parsed parsed, String rest)
      throws BadRequest {
    if (rest.matches("nodes/[^/]+/exec")) {
      ExecStream.openOnNode(context, request, services, rest.split("/", -1)[1], parsed.query());
      return;
    }
    for (RestExtension extension : services.extensions()) {
      if (rest.equals(extension.path())) {
        if (!parsed.method().equals(extension.method())) {
          throw BadRequest.methodNotAllowed();
        }
        ExtensionStream.open(
            context,
            extension,
            parsed.body().isBlank() ? Answer.JSON.createObjectNode() : json(parsed));
        return;
      }
    }
    resource(context, request, parsed);
  }

  private void resource(ChannelHandlerContext context, FullHttpRequest request, Parsed parsed)
      throws BadRequest {
    ApiPath path = ApiPath.parse(parsed.path()).orElseThrow(BadRequest::notFound);
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
      case "portforward" -> PortForward.open(context, request, services, path);
      case "log" -> LogStream.open(context, services, path, parsed.query());
      case "" -> object(context, parsed, kind, path);
      case "status" -> {
        if (!kind.hasStatus()) {
          throw BadRequest.notFound();
        }
        object(context, parsed, kind, path);
      }
      case "scale" -> {
        if (!kind.scale().exists()) {
          throw BadRequest.notFound();
        }
        object(context, parsed, kind, path);
      }
      case "binding", "eviction" -> act(context, parsed, kind, path);
      case "ephemeralcontainers" -> {
        if (!kind.type().equals(ResourceType.POD)) {
          throw BadRequest.notFound();
        }
        object(context, parsed, kind, path);
      }
      default -> throw BadRequest.notFound();
    }
  }

  /** Posts what is to be done with a pod; the answer says only whether it was. */
  private void act(ChannelHandlerContext context, Parsed parsed, ServedKind kind, ApiPath path)
      throws BadRequest {
    if (!kind.type().equals(ResourceType.POD)) {
      throw BadRequest.notFound();
    }
    if (!parsed.method().equals(HttpMethod.POST)) {
      throw BadRequest.methodNotAllowed();
    }
    KubeObject object = new KubeObject(json(parsed));
    WriteOptions options = WriteParameters.of(parsed.query(), parsed.userAgent());
    ask(replyTo ->
            new ApiRequest.Update(
                kind.type(),
                path.namespace(),
                path.name(),
                path.subresource(),
                object,
                options,
                replyTo))
        .thenAccept(
            reply ->
                respond(
                    context,
                    reply instanceof ApiReply.Failed failed
                        ? Answer.failure(failed)
                        : Answer.json(201, Answer.success()),
                    false));
  }

  private void object(ChannelHandlerContext context, Parsed parsed, ServedKind kind, ApiPath path)
      throws BadRequest {
    boolean collection = path.name().isEmpty();
    WriteOptions options = WriteParameters.of(parsed.query(), parsed.userAgent());
    String method = parsed.method().name();
    if (collection) {
      switch (method) {
        case "GET", "HEAD" -> {
          if (parsed.query().flag("watch")) {
            WatchStream.open(
                context, services, kind, path.namespace(), parsed.query(), wantsTable(parsed));
          } else {
            list(context, parsed, kind, path);
          }
        }
        case "POST" -> {
          KubeObject object = new KubeObject(json(parsed));
          ask(
              context,
              parsed,
              kind,
              WriteParameters.warnings(options, kind, object.json()),
              replyTo ->
                  new ApiRequest.Create(kind.type(), path.namespace(), object, options, replyTo));
        }
        case "DELETE" -> deleteAll(context, parsed, kind, path, options);
        default -> throw BadRequest.methodNotAllowed();
      }
      return;
    }
    switch (method) {
      case "GET", "HEAD" ->
          ask(
              context,
              parsed,
              kind,
              List.of(),
              replyTo -> new ApiRequest.Get(kind.type(), path.namespace(), path.name(), replyTo));
      case "PUT" -> {
        KubeObject object = new KubeObject(json(parsed));
        boolean whole = List.of("", "status").contains(path.subresource());
        ask(
            context,
            parsed,
            kind,
            whole ? WriteParameters.warnings(options, kind, object.json()) : List.of(),
            replyTo ->
                new ApiRequest.Update(
                    kind.type(),
                    path.namespace(),
                    path.name(),
                    path.subresource(),
                    object,
                    options,
                    replyTo));
      }
      case "PATCH" -> {
        String type = parsed.contentType().replaceFirst(";.*", "").strip();
        ask(
            context,
            parsed,
            kind,
            type.equals("application/json-patch+json") || path.subresource().equals("scale")
                ? List.of()
                : WriteParameters.warnings(options, kind, patch(parsed.body())),
            replyTo ->
                new ApiRequest.Patch(
                    kind.type(),
                    path.namespace(),
                    path.name(),
                    path.subresource(),
                    type,
                    parsed.body(),
                    options,
                    replyTo));
      }
      case "DELETE" -> delete(context, parsed, kind, path, options);
      default -> throw BadRequest.methodNotAllowed();
    }
  }

  /** What {@code metav1.DeleteOptions} say, in the body or else in the query. */
  private record Deletion(long grace, String uid, String propagation, boolean dryRun) {}

  private static Deletion deletion(Parsed parsed, WriteOptions options) throws BadRequest {
    ObjectNode body = parsed.body().isBlank() ? Answer.JSON.createObjectNode() : json(parsed);
    String propagation = body.path("propagationPolicy").asText();
    if (propagation.isEmpty()) {
      propagation = parsed.query().text("propagationPolicy");
    }
    if (body.path("orphanDependents").asBoolean() && propagation.isEmpty()) {
      propagation = "Orphan";
    }
    if (!List.of("", "Background", "Foreground", "Orphan").contains(propagation)) {
      throw new BadRequest(
          422,
          "Invalid",
          "propagationPolicy: Unsupported value: \""
              + propagation
              + "\": supported values: \"Background\", \"Foreground\", \"Orphan\"");
    }
    return new Deletion(
        body.path("gracePeriodSeconds").asLong(parsed.query().number("gracePeriodSeconds", -1)),
        body.path("preconditions").path("uid").asText(),
        propagation,
        options.dryRun() || body.path("dryRun").path(0).asText().equals("All"));
  }

  private void delete(
      ChannelHandlerContext context,
      Parsed parsed,
      ServedKind kind,
      ApiPath path,
      WriteOptions options)
      throws BadRequest {
    Deletion deletion = deletion(parsed, options);
    ask(
        context,
        parsed,
        kind,
        List.of(),
        replyTo ->
            new ApiRequest.Delete(
                kind.type(),
                path.namespace(),
                path.name(),
                deletion.grace(),
                deletion.uid(),
                deletion.propagation(),
                deletion.dryRun(),
                replyTo));
  }

  private void deleteAll(
      ChannelHandlerContext context,
      Parsed parsed,
      ServedKind kind,
      ApiPath path,
      WriteOptions options)
      throws BadRequest {
    if (kind.type().namespaced() && path.namespace().isEmpty()) {
      throw BadRequest.methodNotAllowed();
    }
    Deletion deletion = deletion(parsed, options);
    ask(replyTo ->
            new ApiRequest.DeleteAll(
                kind.type(),
                path.namespace(),
                parsed.query().text("labelSelector"),
                parsed.query().text("fieldSelector"),
                deletion.grace(),
                deletion.propagation(),
                deletion.dryRun(),
                replyTo))
        .thenAccept(reply -> respond(context, listed(parsed, kind, reply, 0), false));
  }

  /** A patch as a tree, to look at what it names; what it is no patch, the API server says. */
  private static JsonNode patch(String body) {
    try {
      return YamlText.parse(body);
    } catch (YAMLException e) {
      return MissingNode.getInstance();
    }
  }

  private static boolean wantsTable(Parsed parsed) {
    return parsed.accept().contains("as=Table");
  }

  private static ObjectNode json(Parsed parsed) throws BadRequest {
    if (!BODY_TYPE.matcher(parsed.contentType()).lookingAt()) {
      throw new BadRequest(
          415,
          "UnsupportedMediaType",
          "the body of the request was in an unknown format - accepted media types include:"
              + " application/json, application/yaml, application/vnd.kubernetes.protobuf");
    }
    try {
      JsonNode body =
          parsed.contentType().contains("yaml")
              ? YamlText.parse(parsed.body())
              : Answer.JSON.readTree(parsed.body());
      if (body instanceof ObjectNode object) {
        return object;
      }
      throw new BadRequest(400, "BadRequest", "the body of the request must be a JSON object");
    } catch (JsonProcessingException e) {
      throw new BadRequest(
          400, "BadRequest", "the body of the request is not JSON: " + e.getOriginalMessage());
    } catch (YAMLException e) {
      throw new BadRequest(
          400, "BadRequest", "the body of the request is not YAML: " + e.getMessage());
    }
  }

  private CompletionStage<ApiReply> ask(Function<ActorRef<ApiReply>, ApiRequest> request) {
    CompletionStage<ApiReply> reply =
        AskPattern.ask(services.server(), request::apply, TIMEOUT, services.system().scheduler());
    return reply.exceptionally(
        _ ->
            new ApiReply.Failed(
                504, "Timeout", "the API server did not answer in " + TIMEOUT.toSeconds() + " s"));
  }

  private void ask(
      ChannelHandlerContext context,
      Parsed parsed,
      ServedKind kind,
      List<String> warnings,
      Function<ActorRef<ApiReply>, ApiRequest> request) {
    ask(request)
        .thenAccept(
            reply -> {
              FullHttpResponse response =
                  switch (reply) {
                    case ApiReply.Stored stored ->
                        Answer.json(
                            stored.created() ? 201 : 200, shown(parsed, kind, stored.object()));
                    case ApiReply.Deleted deleted ->
                        parsed.method().equals(HttpMethod.DELETE)
                            ? Answer.json(
                                200,
                                Answer.deleted(
                                    deleted.object().name(),
                                    kind.type().plural(),
                                    kind.type().group(),
                                    deleted.object().uid()))
                            : Answer.json(200, deleted.object().json());
                    case ApiReply.Failed failed -> Answer.failure(failed);
                    case ApiReply.Listed _ ->
                        throw new IllegalStateException(
                            "a list in answer to a request for one object");
                  };
              List<String> all = new ArrayList<>(warnings);
              if (reply instanceof ApiReply.Stored stored && writes(parsed.method())) {
                all.addAll(kind.rules().warnings(stored.object()));
              }
              for (String warning : all) {
                response.headers().add("Warning", "299 - \"" + escaped(warning) + "\"");
              }
              respond(context, response, false);
            });
  }

  private static boolean writes(HttpMethod method) {
    return method.equals(HttpMethod.POST)
        || method.equals(HttpMethod.PUT)
        || method.equals(HttpMethod.PATCH);
  }

  private static String escaped(String text) {
    return text.replaceAll("[^ -~]", "?").replace("\\", "\\\\").replace("\"", "\\\"");
  }

  private JsonNode shown(Parsed parsed, ServedKind kind, KubeObject object) {
    if (parsed.path().endsWith("/scale") && kind.scale().exists()) {
      return Scales.of(kind, object);
    }
    return wantsTable(parsed) && parsed.method().equals(HttpMethod.GET)
        ? Tables.of(kind, List.of(object), object.resourceVersion(), services.clock().instant())
        : object.json();
  }

  private void list(ChannelHandlerContext context, Parsed parsed, ServedKind kind, ApiPath path)
      throws BadRequest {
    long limit = parsed.query().number("limit", 0);
    ListVersion version = ListVersion.of(parsed.query());
    String token = parsed.query().text("continue");
    if (!token.isEmpty()) {
      Continuations.Page page = services.continuations().next(token, limit);
      respond(context, Answer.json(200, shown(parsed, kind, page)), false);
      return;
    }
    ask(replyTo ->
            new ApiRequest.List(
                kind.type(),
                path.namespace(),
                parsed.query().text("labelSelector"),
                parsed.query().text("fieldSelector"),
                replyTo))
        .thenApply(
            reply ->
                reply instanceof ApiReply.Listed newest
                    ? version
                        .refuse(newest.resourceVersion())
                        .<ApiReply>map(failed -> failed)
                        .orElse(newest)
                    : reply)
        .thenAccept(reply -> respond(context, listed(parsed, kind, reply, limit), false));
  }

  private FullHttpResponse listed(Parsed parsed, ServedKind kind, ApiReply reply, long limit) {
    return switch (reply) {
      case ApiReply.Listed listed ->
          Answer.json(200, shown(parsed, kind, services.continuations().first(listed, limit)));
      case ApiReply.Failed failed -> Answer.failure(failed);
      case ApiReply.Stored _, ApiReply.Deleted _ ->
          throw new IllegalStateException("one object in answer to a list");
    };
  }

  private ObjectNode shown(Parsed parsed, ServedKind kind, Continuations.Page page) {
    ObjectNode list;
    if (wantsTable(parsed)) {
      list = Tables.of(kind, page.objects(), page.resourceVersion(), services.clock().instant());
    } else {
      list = Answer.JSON.createObjectNode();
      list.put("kind", kind.type().kind() + "List").put("apiVersion", kind.type().apiVersion());
      list.putObject("metadata").put("resourceVersion", Long.toString(page.resourceVersion()));
      ArrayNode items = list.putArray("items");
      page.objects().forEach(object -> items.add(object.json()));
    }
    if (!page.token().isEmpty()) {
      list.withObject("/metadata")
          .put("continue", page.token())
          .put("remainingItemCount", page.remaining());
    }
    return list;
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

  /** The parameters of a URL. */
  record Query(Map<String, List<String>> parameters) {

    String text(String name) {
      List<String> values = parameters.getOrDefault(name, List.of());
      return values.isEmpty() ? "" : values.getFirst();
    }

    List<String> all(String name) {
      return parameters.getOrDefault(name, List.of());
    }

    boolean flag(String name) {
      return List.of("true", "1").contains(text(name));
    }

    long number(String name, long otherwise) throws BadRequest {
      String text = text(name);
      if (text.isEmpty()) {
        return otherwise;
      }
      try {
        return Long.parseLong(text);
      } catch (NumberFormatException e) {
        // The words of Go's strconv, which is how clients of the real server know them.
        boolean tooLarge = text.matches("[+-]?[0-9]+");
        throw new BadRequest(
            400,
            "BadRequest",
            "strconv.ParseInt: parsing \"%s\": %s"
                .formatted(text, tooLarge ? "value out of range" : "invalid syntax"));
      }
    }
  }
}
