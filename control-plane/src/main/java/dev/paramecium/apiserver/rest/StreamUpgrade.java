package dev.paramecium.apiserver.rest;

import dev.paramecium.kubelet.KubeletRequest;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;

/** What every request that becomes a stream to a kubelet begins with. */
final class StreamUpgrade {

  private StreamUpgrade() {}

  /**
   * The upgrade that the client asks for: {@code websocket} or {@code spdy/3.1}.
   *
   * @param served what there is, for the answer to a client that asks for nothing of it
   */
  static String asked(FullHttpRequest request, String served) throws BadRequest {
    String upgrade = request.headers().get(HttpHeaderNames.UPGRADE, "").toLowerCase(Locale.ROOT);
    if (!upgrade.equals("websocket") && !upgrade.equals("spdy/3.1")) {
      throw new BadRequest(400, "BadRequest", "Upgrade request required: " + served);
    }
    return upgrade;
  }

  /**
   * Calls {@code then} on the connection's event loop when the kubelet is found, with the request
   * still usable; answers in its place why there is none.
   */
  static void whenFound(
      ChannelHandlerContext context,
      FullHttpRequest request,
      CompletionStage<KubeletLookup.Found> lookup,
      Consumer<ActorRef<KubeletRequest>> then) {
    request.retain();
    lookup.whenComplete(
        (found, failure) ->
            context
                .channel()
                .eventLoop()
                .execute(
                    () -> {
                      try {
                        if (failure != null) {
                          RestHandler.respond(
                              context,
                              Answer.failure(500, "InternalError", String.valueOf(failure)),
                              true);
                          return;
                        }
                        switch (found) {
                          case KubeletLookup.Found.Missing missing ->
                              RestHandler.respond(
                                  context, Answer.failure(missing.failure()), false);
                          case KubeletLookup.Found.Kubelet(var kubelet) -> then.accept(kubelet);
                        }
                      } finally {
                        request.release();
                      }
                    }));
  }
}
