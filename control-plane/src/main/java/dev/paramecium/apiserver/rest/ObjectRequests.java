package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.api.WriteOptions;
import dev.paramecium.apiserver.Scales;
import dev.paramecium.apiserver.ServedKind;
import dev.paramecium.apiserver.access.Access;
import dev.paramecium.apiserver.access.AccessDenied;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** Requests for objects and collections: asks the API server, and shows what it answers. */
final class ObjectRequests {

  private static final Duration TIMEOUT = Duration.ofSeconds(15);

  private final RestServer.Services services;

  ObjectRequests(RestServer.Services services) {
    this.services = services;
  }

  /** Posts what is to be done with a pod; the answer says only whether it was. */
  void act(ChannelHandlerContext context, RestRequest parsed, ServedKind kind, ApiPath path)
      throws BadRequest {
    if (!kind.type().equals(ResourceType.POD)) {
      throw BadRequest.notFound();
    }
    parsed.require(HttpMethod.POST);
    KubeObject object = new KubeObject(parsed.json());
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
                RestHandler.respond(
                    context,
                    reply instanceof ApiReply.Failed failed
                        ? Answer.failure(failed)
                        : Answer.json(201, Answer.success()),
                    false));
  }

  void object(ChannelHandlerContext context, RestRequest parsed, ServedKind kind, ApiPath path)
      throws BadRequest {
    boolean collection = path.name().isEmpty();
    WriteOptions options = WriteParameters.of(parsed.query(), parsed.userAgent());
    String method = parsed.method().name();
    if (collection) {
      switch (method) {
        case "GET", "HEAD" -> {
          if (parsed.query().flag("watch")) {
            WatchStream.open(context, services, kind, path.namespace(), parsed);
          } else {
            list(context, parsed, kind, path);
          }
        }
        case "POST" -> {
          KubeObject object = new KubeObject(parsed.json());
          write(
              context,
              parsed,
              kind,
              WriteParameters.warnings(options, kind, object.json()),
              options,
              (how, replyTo) ->
                  new ApiRequest.Create(kind.type(), path.namespace(), object, how, replyTo));
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
        KubeObject object = new KubeObject(parsed.json());
        boolean whole = List.of("", "status").contains(path.subresource());
        write(
            context,
            parsed,
            kind,
            whole ? WriteParameters.warnings(options, kind, object.json()) : List.of(),
            options,
            (how, replyTo) ->
                new ApiRequest.Update(
                    kind.type(),
                    path.namespace(),
                    path.name(),
                    path.subresource(),
                    object,
                    how,
                    replyTo));
      }
      case "PATCH" -> {
        String type = parsed.contentType().replaceFirst(";.*", "").strip();
        write(
            context,
            parsed,
            kind,
            type.equals("application/json-patch+json") || path.subresource().equals("scale")
                ? List.of()
                : WriteParameters.warnings(options, kind, parsed.patch()),
            options,
            (how, replyTo) ->
                new ApiRequest.Patch(
                    kind.type(),
                    path.namespace(),
                    path.name(),
                    path.subresource(),
                    type,
                    parsed.body(),
                    how,
                    replyTo));
      }
      case "DELETE" -> delete(context, parsed, kind, path, options);
      default -> throw BadRequest.methodNotAllowed();
    }
  }

  /** What {@code metav1.DeleteOptions} say, in the body or else in the query. */
  private record Deletion(long grace, String uid, String propagation, boolean dryRun) {}

  private static Deletion deletion(RestRequest parsed, WriteOptions options) throws BadRequest {
    ObjectNode body = parsed.body().isBlank() ? Answer.JSON.createObjectNode() : parsed.json();
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
      RestRequest parsed,
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
      RestRequest parsed,
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
        .thenAccept(reply -> RestHandler.respond(context, listed(parsed, kind, reply, 0), false));
  }

  /** Writes an object; a role or a binding only if its writer may give away what is in it. */
  private void write(
      ChannelHandlerContext context,
      RestRequest parsed,
      ServedKind kind,
      List<String> warnings,
      WriteOptions options,
      BiFunction<WriteOptions, ActorRef<ApiReply>, ApiRequest> request) {
    Runnable write =
        () -> ask(context, parsed, kind, warnings, replyTo -> request.apply(options, replyTo));
    Access access = services.access();
    if (!access.isGuarded(kind.type(), parsed.user())) {
      write.run();
      return;
    }
    WriteOptions rehearsal =
        new WriteOptions(true, options.fieldManager(), options.fieldValidation(), options.force());
    ask(replyTo -> request.apply(rehearsal, replyTo))
        .thenAccept(
            reply -> {
              try {
                if (reply instanceof ApiReply.Stored stored) {
                  access.requireNoEscalation(parsed.user(), kind.type(), stored.object());
                }
                write.run();
              } catch (AccessDenied e) {
                RestHandler.respond(context, Answer.failure(e.reply()), false);
              }
            });
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
      RestRequest parsed,
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
              RestHandler.respond(context, response, false);
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

  private JsonNode shown(RestRequest parsed, ServedKind kind, KubeObject object) {
    if (parsed.path().endsWith("/scale") && kind.scale().exists()) {
      return Scales.of(kind, object);
    }
    RowObject rows = parsed.tableRows();
    return rows != null && parsed.method().equals(HttpMethod.GET)
        ? Tables.of(
            kind, List.of(object), object.resourceVersion(), rows, services.clock().instant())
        : object.json();
  }

  private void list(
      ChannelHandlerContext context, RestRequest parsed, ServedKind kind, ApiPath path)
      throws BadRequest {
    long limit = parsed.query().number("limit", 0);
    ListVersion version = ListVersion.of(parsed.query());
    String token = parsed.query().text("continue");
    if (!token.isEmpty()) {
      Continuations.Page page = services.continuations().next(token, limit);
      RestHandler.respond(context, Answer.json(200, shown(parsed, kind, page)), false);
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
        .thenAccept(
            reply -> RestHandler.respond(context, listed(parsed, kind, reply, limit), false));
  }

  private FullHttpResponse listed(RestRequest parsed, ServedKind kind, ApiReply reply, long limit) {
    return switch (reply) {
      case ApiReply.Listed listed ->
          Answer.json(200, shown(parsed, kind, services.continuations().first(listed, limit)));
      case ApiReply.Failed failed -> Answer.failure(failed);
      case ApiReply.Stored _, ApiReply.Deleted _ ->
          throw new IllegalStateException("one object in answer to a list");
    };
  }

  private ObjectNode shown(RestRequest parsed, ServedKind kind, Continuations.Page page) {
    ObjectNode list;
    RowObject rows = parsed.tableRows();
    if (rows != null) {
      list =
          Tables.of(kind, page.objects(), page.resourceVersion(), rows, services.clock().instant());
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
}
