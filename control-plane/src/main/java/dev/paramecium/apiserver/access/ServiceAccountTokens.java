package dev.paramecium.apiserver.access;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Tokens of service accounts: JSON Web Tokens (RFC 7519) signed with ES256 (RFC 7518, 3.4), with
 * the claims that {@code pkg/serviceaccount} gives them. They end with their time, and with their
 * account.
 */
final class ServiceAccountTokens {

  static final String AUDIENCE = "https://kubernetes.default.svc.cluster.local";

  private static final String ALGORITHM = "SHA256withECDSAinP1363Format";
  private static final String CLAIM = "kubernetes.io";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pki pki;
  private final AccessCache cache;
  private final InstantSource clock;

  ServiceAccountTokens(Pki pki, AccessCache cache, InstantSource clock) {
    this.pki = pki;
    this.cache = cache;
    this.clock = clock;
  }

  /**
   * A new token.
   *
   * @param audiences empty for the API server's own
   */
  String issue(KubeObject account, List<String> audiences, Instant expiry) {
    ObjectNode header = JsonNodeFactory.instance.objectNode();
    header.put("alg", "ES256").put("kid", pki.tokenCertificate().getSerialNumber().toString(16));
    ObjectNode claims = JsonNodeFactory.instance.objectNode();
    (audiences.isEmpty() ? List.of(AUDIENCE) : audiences)
        .forEach(audience -> claims.withArray("aud").add(audience));
    long now = clock.instant().getEpochSecond();
    claims.put("exp", expiry.getEpochSecond()).put("iat", now).put("iss", AUDIENCE);
    claims.put("jti", UUID.randomUUID().toString());
    ObjectNode about = claims.putObject(CLAIM);
    about.put("namespace", account.namespace());
    about.putObject("serviceaccount").put("name", account.name()).put("uid", account.uid());
    claims.put("nbf", now);
    claims.put("sub", User.SERVICE_ACCOUNT + account.namespace() + ":" + account.name());
    String signed = encode(header.toString()) + "." + encode(claims.toString());
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(pki.tokenKey());
      signature.update(signed.getBytes(StandardCharsets.US_ASCII));
      return signed
          + "."
          + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has ECDSA", e);
    }
  }

  private static String encode(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Whose token it is; empty if it is nobody's, has ended, or is meant for others. */
  Optional<User> verify(String token) {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3) {
      return Optional.empty();
    }
    try {
      JsonNode header = JSON.readTree(Base64.getUrlDecoder().decode(parts[0]));
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initVerify(pki.tokenCertificate().getPublicKey());
      signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
      if (!header.path("alg").asText().equals("ES256")
          || !signature.verify(Base64.getUrlDecoder().decode(parts[2]))) {
        return Optional.empty();
      }
      return user(JSON.readTree(Base64.getUrlDecoder().decode(parts[1])));
    } catch (IllegalArgumentException | IOException | GeneralSecurityException _) {
      return Optional.empty();
    }
  }

  private Optional<User> user(JsonNode claims) {
    long now = clock.instant().getEpochSecond();
    boolean forUs = false;
    for (JsonNode audience : claims.path("aud")) {
      forUs |= audience.asText().equals(AUDIENCE);
    }
    if (!forUs || claims.path("exp").asLong() <= now || claims.path("nbf").asLong() > now) {
      return Optional.empty();
    }
    JsonNode about = claims.path(CLAIM);
    KubeObject account =
        cache.find(
            ResourceType.SERVICE_ACCOUNT,
            about.path("namespace").asText(),
            about.path("serviceaccount").path("name").asText());
    return account == null
            || !account.uid().equals(about.path("serviceaccount").path("uid").asText())
        ? Optional.empty()
        : Optional.of(User.serviceAccount(account.namespace(), account.name(), account.uid()));
  }
}
