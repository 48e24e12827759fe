package dev.paramecium.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import dev.paramecium.proto.AboutMessage;
import dev.paramecium.proto.ApiReplyMessage;
import dev.paramecium.proto.ApiRequestMessage;
import dev.paramecium.proto.ApiWatchEventMessage;
import dev.paramecium.proto.ResourceTypeMessage;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.SerializerWithStringManifest;
import org.jspecify.annotations.Nullable;

/**
 * {@link ApiRequest}, {@link ApiReply} and {@link ApiWatchEvent} between JVMs, as protobuf ({@code
 * api.proto}).
 *
 * <p>A manifest is the record's name. An object that goes to many watchers is turned into JSON
 * once: the last few hundred are remembered.
 */
public final class ApiSerializer extends SerializerWithStringManifest {

  private static final int IDENTIFIER = 4_210_001;
  private static final int REMEMBERED = 512;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ActorRefResolver resolver;
  private final AtomicReferenceArray<@Nullable Encoded> encoded =
      new AtomicReferenceArray<>(REMEMBERED);

  private record Encoded(KubeObject object, ByteString json) {}

  public ApiSerializer(ExtendedActorSystem system) {
    this.resolver = ActorRefResolver.get(Adapter.toTyped(system));
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public String manifest(Object message) {
    // Both a reply and an event are called Deleted.
    return message instanceof ApiWatchEvent.Deleted
        ? "WatchDeleted"
        : message.getClass().getSimpleName();
  }

  @Override
  public byte[] toBinary(Object message) {
    return switch (message) {
      case ApiRequest request -> encode(request).toByteArray();
      case ApiReply reply -> encode(reply).toByteArray();
      case ApiWatchEvent event -> encode(event).toByteArray();
      default ->
          throw new IllegalArgumentException(
              message.getClass() + " is not a message of the API server");
    };
  }

  private ApiRequestMessage encode(ApiRequest request) {
    ApiRequestMessage.Builder to = ApiRequestMessage.newBuilder();
    switch (request) {
      case ApiRequest.Create r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setBody(json(r.object()))
              .mergeFrom(options(r.options()))
              .setReplyTo(encode(r.replyTo()));
      case ApiRequest.Get r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setName(r.name())
              .setReplyTo(encode(r.replyTo()));
      case ApiRequest.List r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setLabelSelector(r.labelSelector())
              .setFieldSelector(r.fieldSelector())
              .setReplyTo(encode(r.replyTo()));
      case ApiRequest.Update r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setName(r.name())
              .setSubresource(r.subresource())
              .setBody(json(r.object()))
              .mergeFrom(options(r.options()))
              .setReplyTo(encode(r.replyTo()));
      case ApiRequest.Patch r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setName(r.name())
              .setSubresource(r.subresource())
              .setPatchType(r.patchType())
              .setBody(ByteString.copyFromUtf8(r.body()))
              .mergeFrom(options(r.options()))
              .setReplyTo(encode(r.replyTo()));
      case ApiRequest.Delete r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setName(r.name())
              .setGracePeriodSeconds(r.gracePeriodSeconds())
              .setPreconditionUid(r.preconditionUid())
              .setPropagation(r.propagation())
              .setDryRun(r.dryRun())
              .setReplyTo(encode(r.replyTo()));
      case ApiRequest.DeleteAll r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setLabelSelector(r.labelSelector())
              .setFieldSelector(r.fieldSelector())
              .setGracePeriodSeconds(r.gracePeriodSeconds())
              .setPropagation(r.propagation())
              .setDryRun(r.dryRun())
              .setReplyTo(encode(r.replyTo()));
      case ApiRequest.Watch r ->
          to.setType(encode(r.type()))
              .setNamespace(r.namespace())
              .setLabelSelector(r.labelSelector())
              .setFieldSelector(r.fieldSelector())
              .setResourceVersion(r.resourceVersion())
              .setReplyTo(encode(r.subscriber()));
      case ApiRequest.WatchAck r -> to.setEvents(r.events()).setReplyTo(encode(r.subscriber()));
      case ApiRequest.Unwatch r -> to.setReplyTo(encode(r.subscriber()));
    }
    return to.build();
  }

  private static ApiRequestMessage options(WriteOptions options) {
    return ApiRequestMessage.newBuilder()
        .setDryRun(options.dryRun())
        .setFieldManager(options.fieldManager())
        .setFieldValidation(options.fieldValidation().name())
        .setForce(options.force())
        .build();
  }

  private static WriteOptions options(ApiRequestMessage from) {
    return new WriteOptions(
        from.getDryRun(),
        from.getFieldManager(),
        WriteOptions.Validation.valueOf(from.getFieldValidation()),
        from.getForce());
  }

  private ApiReplyMessage encode(ApiReply reply) {
    ApiReplyMessage.Builder to = ApiReplyMessage.newBuilder();
    switch (reply) {
      case ApiReply.Stored r -> to.addObjects(json(r.object())).setCreated(r.created());
      case ApiReply.Deleted r -> to.addObjects(json(r.object()));
      case ApiReply.Listed r -> {
        r.objects().forEach(object -> to.addObjects(json(object)));
        to.setResourceVersion(r.resourceVersion());
      }
      case ApiReply.Failed r ->
          to.setCode(r.code())
              .setReason(r.reason())
              .setMessage(r.message())
              .setAbout(encode(r.about()));
    }
    return to.build();
  }

  private static AboutMessage encode(ApiReply.About about) {
    AboutMessage.Builder to =
        AboutMessage.newBuilder()
            .setGroup(about.group())
            .setKind(about.kind())
            .setName(about.name())
            .setUid(about.uid());
    for (ApiReply.Cause cause : about.causes()) {
      to.addCausesBuilder()
          .setReason(cause.reason())
          .setMessage(cause.message())
          .setField(cause.field());
    }
    return to.build();
  }

  private static ApiReply.About about(AboutMessage from) {
    return new ApiReply.About(
        from.getGroup(),
        from.getKind(),
        from.getName(),
        from.getUid(),
        from.getCausesList().stream()
            .map(c -> new ApiReply.Cause(c.getReason(), c.getMessage(), c.getField()))
            .toList());
  }

  private ApiWatchEventMessage encode(ApiWatchEvent event) {
    ApiWatchEventMessage.Builder to = ApiWatchEventMessage.newBuilder();
    switch (event) {
      case ApiWatchEvent.Added e -> to.setObject(json(e.object()));
      case ApiWatchEvent.Modified e -> to.setObject(json(e.object()));
      case ApiWatchEvent.Deleted e -> to.setObject(json(e.object()));
      case ApiWatchEvent.Bookmark e ->
          to.setResourceVersion(e.resourceVersion())
              .setInitialEventsEnd(e.initialEventsEnd())
              .setSent(e.sent());
      case ApiWatchEvent.Expired e -> to.setResourceVersion(e.oldestResourceVersion());
    }
    return to.build();
  }

  private static ResourceTypeMessage encode(ResourceType type) {
    return ResourceTypeMessage.newBuilder()
        .setGroup(type.group())
        .setVersion(type.version())
        .setPlural(type.plural())
        .setKind(type.kind())
        .setNamespaced(type.namespaced())
        .build();
  }

  private String encode(ActorRef<?> ref) {
    return resolver.toSerializationFormat(ref);
  }

  // The memory is of objects, not of values: comparing two documents costs more than writing one.
  @SuppressWarnings("ReferenceEquality")
  private ByteString json(KubeObject object) {
    int slot = System.identityHashCode(object) & (REMEMBERED - 1);
    Encoded last = encoded.get(slot);
    if (last != null && last.object() == object) {
      return last.json();
    }
    try {
      ByteString json = ByteString.copyFrom(JSON.writeValueAsBytes(object.json()));
      encoded.set(slot, new Encoded(object, json));
      return json;
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    try {
      return switch (manifest) {
        case "Create",
            "Get",
            "List",
            "Update",
            "Patch",
            "Delete",
            "DeleteAll",
            "Watch",
            "WatchAck",
            "Unwatch" ->
            request(manifest, ApiRequestMessage.parseFrom(bytes));
        case "Stored", "Deleted", "Listed", "Failed" -> reply(manifest, bytes);
        case "Added", "Modified", "Bookmark", "Expired" ->
            event(manifest, ApiWatchEventMessage.parseFrom(bytes));
        case "WatchDeleted" -> event("Deleted", ApiWatchEventMessage.parseFrom(bytes));
        default -> throw new NotSerializableException("unknown manifest \"" + manifest + "\"");
      };
    } catch (IOException e) {
      NotSerializableException broken =
          new NotSerializableException(manifest + ": " + e.getMessage());
      broken.initCause(e);
      throw broken;
    }
  }

  private Object reply(String manifest, byte[] bytes) throws IOException {
    ApiReplyMessage from = ApiReplyMessage.parseFrom(bytes);
    return switch (manifest) {
      case "Stored" -> new ApiReply.Stored(object(from.getObjects(0)), from.getCreated());
      case "Deleted" -> new ApiReply.Deleted(object(from.getObjects(0)));
      case "Listed" -> {
        List<KubeObject> objects = new ArrayList<>();
        for (ByteString json : from.getObjectsList()) {
          objects.add(object(json));
        }
        yield new ApiReply.Listed(objects, from.getResourceVersion());
      }
      default ->
          new ApiReply.Failed(
              from.getCode(), from.getReason(), from.getMessage(), about(from.getAbout()));
    };
  }

  private ApiRequest request(String manifest, ApiRequestMessage from) throws IOException {
    ResourceType type =
        new ResourceType(
            from.getType().getGroup(),
            from.getType().getVersion(),
            from.getType().getPlural(),
            from.getType().getKind(),
            from.getType().getNamespaced());
    ActorRef<ApiReply> replyTo = resolver.resolveActorRef(from.getReplyTo());
    ActorRef<ApiWatchEvent> subscriber = resolver.resolveActorRef(from.getReplyTo());
    return switch (manifest) {
      case "Create" ->
          new ApiRequest.Create(
              type, from.getNamespace(), object(from.getBody()), options(from), replyTo);
      case "Get" -> new ApiRequest.Get(type, from.getNamespace(), from.getName(), replyTo);
      case "List" ->
          new ApiRequest.List(
              type, from.getNamespace(), from.getLabelSelector(), from.getFieldSelector(), replyTo);
      case "Update" ->
          new ApiRequest.Update(
              type,
              from.getNamespace(),
              from.getName(),
              from.getSubresource(),
              object(from.getBody()),
              options(from),
              replyTo);
      case "Patch" ->
          new ApiRequest.Patch(
              type,
              from.getNamespace(),
              from.getName(),
              from.getSubresource(),
              from.getPatchType(),
              from.getBody().toStringUtf8(),
              options(from),
              replyTo);
      case "Delete" ->
          new ApiRequest.Delete(
              type,
              from.getNamespace(),
              from.getName(),
              from.getGracePeriodSeconds(),
              from.getPreconditionUid(),
              from.getPropagation(),
              from.getDryRun(),
              replyTo);
      case "DeleteAll" ->
          new ApiRequest.DeleteAll(
              type,
              from.getNamespace(),
              from.getLabelSelector(),
              from.getFieldSelector(),
              from.getGracePeriodSeconds(),
              from.getPropagation(),
              from.getDryRun(),
              replyTo);
      case "Watch" ->
          new ApiRequest.Watch(
              type,
              from.getNamespace(),
              from.getLabelSelector(),
              from.getFieldSelector(),
              from.getResourceVersion(),
              subscriber);
      case "WatchAck" -> new ApiRequest.WatchAck(from.getEvents(), subscriber);
      default -> new ApiRequest.Unwatch(subscriber);
    };
  }

  private static ApiWatchEvent event(String manifest, ApiWatchEventMessage from)
      throws IOException {
    return switch (manifest) {
      case "Added" -> new ApiWatchEvent.Added(object(from.getObject()));
      case "Modified" -> new ApiWatchEvent.Modified(object(from.getObject()));
      case "Deleted" -> new ApiWatchEvent.Deleted(object(from.getObject()));
      case "Bookmark" ->
          new ApiWatchEvent.Bookmark(
              from.getResourceVersion(), from.getInitialEventsEnd(), from.getSent());
      default -> new ApiWatchEvent.Expired(from.getResourceVersion());
    };
  }

  private static KubeObject object(ByteString json) throws IOException {
    return new KubeObject((ObjectNode) JSON.readTree(json.toByteArray()));
  }
}
