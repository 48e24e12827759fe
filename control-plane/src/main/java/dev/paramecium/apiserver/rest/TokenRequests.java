package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code serviceaccounts/token}: a {@code TokenRequest} is answered with a token for the account.
 */
final class TokenRequests {

  /** Seconds; what {@code kubectl create token} gets, and the least that may be asked for. */
  private static final long DEFAULT_LIFE = 3600;

  private static final long LEAST_LIFE = 600;

  private TokenRequests() {}

  static void answer(
      ChannelHandlerContext context,
      RestServer.Services services,
      ApiPath path,
      RestRequest request)
      throws BadRequest {
    request.require(HttpMethod.POST);
    ObjectNode asked = request.json();
    long life = asked.at("/spec/expirationSeconds").asLong(DEFAULT_LIFE);
    if (life < LEAST_LIFE || life > 1L << 32) {
      throw new BadRequest(
          422,
          "Invalid",
          "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid"
              + " value: "
              + life
              + (life < LEAST_LIFE
                  ? ": may not specify a duration less than 10 minutes"
                  : ": may not specify a duration larger than 2^32 seconds"));
    }
    List<String> audiences = new ArrayList<>();
    for (JsonNode audience : asked.at("/spec/audiences")) {
      audiences.add(audience.asText());
    }
    Instant expiry = services.clock().instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(life);
    services
        .api()
        .get(ResourceType.SERVICE_ACCOUNT, path.namespace(), path.name())
        .thenAccept(
            reply ->
                RestHandler.respond(
                    context,
                    switch (reply) {
                      case ApiReply.Stored(KubeObject account, boolean _) ->
                          answer(
                              asked, services.access().token(account, audiences, expiry), expiry);
                      case ApiReply.Failed failed -> Answer.failure(failed);
                      case ApiReply.Deleted _, ApiReply.Listed _ ->
                          throw new IllegalStateException("no object in answer to a get");
                    },
                    false));
  }

  private static FullHttpResponse answer(ObjectNode asked, Optional<String> token, Instant expiry) {
    if (token.isEmpty()) {
      return Answer.failure(
          404,
          "NotFound",
          "the server has no key to sign tokens with, and asks for none: start it with --tls");
    }
    asked.put("kind", "TokenRequest").put("apiVersion", "authentication.k8s.io/v1");
    ObjectNode status = asked.putObject("status");
    status.put("token", token.get()).put("expirationTimestamp", expiry.toString());
    return Answer.json(201, asked);
  }
}
