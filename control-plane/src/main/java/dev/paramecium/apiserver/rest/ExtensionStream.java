package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * An extension's response: starts with the first object, drops what a slow reader does not take,
 * and says so.
 */
final class ExtensionStream implements RestExtension.Response {

  private final ChannelHandlerContext context;
  private @Nullable ChunkedBody body;
  private boolean failed;
  private long dropped;

  private ExtensionStream(ChannelHandlerContext context) {
    this.context = context;
  }

  static void open(ChannelHandlerContext context, RestExtension extension, ObjectNode request) {
    ExtensionStream stream = new ExtensionStream(context);
    Runnable closed = extension.handle(request, stream);
    context.channel().closeFuture().addListener(_ -> closed.run());
  }

  @Override
  public synchronized void send(ObjectNode object) {
    if (failed) {
      return;
    }
    if (body == null) {
      body = ChunkedBody.start(context, "application/json");
    }
    if (!body.hasRoom()) {
      dropped++;
      return;
    }
    if (dropped > 0) {
      object.put("dropped_before", dropped);
      dropped = 0;
    }
    body.send((object + "\n").getBytes(StandardCharsets.UTF_8), () -> {});
  }

  @Override
  public synchronized void end() {
    if (body != null) {
      body.end();
    }
  }

  @Override
  public synchronized void fail(int code, String reason, String message) {
    failed = true;
    RestHandler.respond(context, Answer.failure(code, reason, message), false);
  }
}
