package dev.paramecium.apiserver.access;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.security.Principal;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.jspecify.annotations.Nullable;

/** Who a request comes from, and whether they may do what it asks for. */
public final class Access {

  private static final String BEARER = "Bearer ";

  private final @Nullable SslContext tls;
  private final @Nullable ServiceAccountTokens tokens;
  private final Authorizer authorizer;

  Access(@Nullable SslContext tls, @Nullable ServiceAccountTokens tokens, Authorizer authorizer) {
    this.tls = tls;
    this.tokens = tokens;
    this.authorizer = authorizer;
  }

  /** Plain HTTP on loopback: whoever reaches it may do everything. */
  public static Access open() {
    return new Access(null, null, Authorizer.EVERYTHING);
  }

  /**
   * TLS; clients show a certificate or a token.
   *
   * @param rbac whether roles decide; otherwise whoever has shown who they are may do everything
   */
  public static Access secured(
      ActorSystem<?> system, ApiClient api, Pki pki, boolean rbac, InstantSource clock)
      throws IOException {
    AccessCache cache = AccessCache.start(system, api);
    if (rbac) {
      system.systemActorOf(
          BootstrapRoles.create(api), "bootstrap-roles-" + UUID.randomUUID(), Props.empty());
    }
    return new Access(
        pki.forServer(),
        new ServiceAccountTokens(pki, cache, clock),
        rbac ? new RbacAuthorizer(cache) : new AuthenticatedOnly());
  }

  /** What the listener speaks TLS with; null if it speaks plain HTTP. */
  public @Nullable SslContext tls() {
    return tls;
  }

  // ---- who

  /**
   * Who sent a request, or whom they speak for.
   *
   * @param session of the connection, null without TLS
   * @throws AccessDenied 401 for a token that is nobody's, 403 if they may not speak for another
   */
  public User user(@Nullable SSLSession session, HttpHeaders headers) throws AccessDenied {
    User sender = sender(session, headers);
    String name = headers.get("Impersonate-User");
    List<String> groups = headers.getAll("Impersonate-Group");
    if (name == null) {
      if (!groups.isEmpty() || headers.contains("Impersonate-Uid")) {
        throw AccessDenied.forbidden(
            "requested groups or a uid without impersonating a user: send Impersonate-User, too");
      }
      return sender;
    }
    return impersonated(sender, name, groups, headers.get("Impersonate-Uid"));
  }

  private User sender(@Nullable SSLSession session, HttpHeaders headers) throws AccessDenied {
    if (tls == null || tokens == null) {
      return User.UNSECURED;
    }
    Optional<User> certified = session == null ? Optional.empty() : certified(session);
    if (certified.isPresent()) {
      return certified.get();
    }
    String authorization = headers.get("Authorization", "");
    if (authorization.isEmpty()) {
      return User.ANONYMOUS;
    }
    if (!authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      throw AccessDenied.unauthorized();
    }
    return tokens
        .verify(authorization.substring(BEARER.length()).strip())
        .orElseThrow(AccessDenied::unauthorized);
  }

  /** CN is the user's name, each O a group. */
  private static Optional<User> certified(SSLSession session) {
    try {
      Principal subject = session.getPeerPrincipal();
      String name = "";
      List<String> groups = new ArrayList<>();
      for (Rdn part : new LdapName(subject.getName()).getRdns()) {
        switch (part.getType()) {
          case "CN" -> name = String.valueOf(part.getValue());
          case "O" -> groups.add(String.valueOf(part.getValue()));
          default -> {}
        }
      }
      return name.isEmpty() ? Optional.empty() : Optional.of(User.authenticated(name, "", groups));
    } catch (SSLPeerUnverifiedException | InvalidNameException _) {
      return Optional.empty(); // no certificate
    }
  }

  private User impersonated(User sender, String name, List<String> groups, @Nullable String uid)
      throws AccessDenied {
    String account =
        name.startsWith(User.SERVICE_ACCOUNT) ? name.substring(User.SERVICE_ACCOUNT.length()) : "";
    int colon = account.indexOf(':');
    if (colon > 0) {
      require(
          sender,
          new Attributes(
              "impersonate",
              "",
              "serviceaccounts",
              "",
              account.substring(0, colon),
              account.substring(colon + 1),
              ""));
    } else {
      require(sender, impersonation("", "users", name));
    }
    for (String group : groups) {
      require(sender, impersonation("", "groups", group));
    }
    if (uid != null) {
      require(sender, impersonation("authentication.k8s.io", "uids", uid));
    }
    List<String> all =
        groups.isEmpty() && colon > 0
            ? User.serviceAccountGroups(account.substring(0, colon))
            : groups;
    return User.authenticated(name, uid == null ? "" : uid, all);
  }

  private static Attributes impersonation(String group, String resource, String name) {
    return new Attributes("impersonate", group, resource, "", "", name, "");
  }

  /** Whose token it is; empty if it is nobody's. */
  public Optional<User> ofToken(String token) {
    return tokens == null ? Optional.empty() : tokens.verify(token);
  }

  /**
   * A token for a service account; empty if this server has no key to sign it with.
   *
   * @param audiences empty for the API server's own
   */
  public Optional<String> token(KubeObject account, List<String> audiences, Instant expiry) {
    return tokens == null
        ? Optional.empty()
        : Optional.of(tokens.issue(account, audiences, expiry));
  }

  // ---- whether

  public boolean allows(User user, Attributes wanted) {
    return authorizer.allows(user, wanted);
  }

  /**
   * Lets pass what is allowed.
   *
   * @throws AccessDenied 403 in Kubernetes' words
   */
  public void require(User user, Attributes wanted) throws AccessDenied {
    if (!allows(user, wanted)) {
      throw AccessDenied.forbidden(wanted.forbidden(user));
    }
  }

  /** The rules that hold for a user in a namespace: {@code SubjectRulesReviewStatus}. */
  public void describeRules(User user, String namespace, ObjectNode status) {
    var resources = status.putArray("resourceRules");
    var paths = status.putArray("nonResourceRules");
    for (Rule rule : authorizer.rules(user, namespace)) {
      boolean ofPaths = !rule.paths().isEmpty();
      var entry = (ofPaths ? paths : resources).addObject();
      rule.verbs().forEach(entry.putArray("verbs")::add);
      if (ofPaths) {
        rule.paths().forEach(entry.putArray("nonResourceURLs")::add);
      } else {
        rule.groups().forEach(entry.putArray("apiGroups")::add);
        rule.resources().forEach(entry.putArray("resources")::add);
        if (!rule.names().isEmpty()) {
          rule.names().forEach(entry.putArray("resourceNames")::add);
        }
      }
    }
    status.put("incomplete", false);
  }

  /** Whether what a user writes of this kind has to pass {@link #requireNoEscalation}. */
  public boolean isGuarded(ResourceType type, User user) {
    return type.group().equals("rbac.authorization.k8s.io")
        && !user.groups().contains(User.MASTERS);
  }

  /**
   * Nobody gives away what they have not: a role's rules, or those of the role that a binding gives
   * to others, must be the writer's own ({@code pkg/registry/rbac/validation}), unless they have
   * the verb {@code escalate} or {@code bind}.
   */
  public void requireNoEscalation(User user, ResourceType type, KubeObject written)
      throws AccessDenied {
    boolean binding = type.plural().endsWith("bindings");
    JsonNode roleRef = written.at("/roleRef");
    String role = roleRef.path("kind").asText().equals("ClusterRole") ? "clusterroles" : "roles";
    Attributes exempt =
        new Attributes(
            binding ? "bind" : "escalate",
            type.group(),
            binding ? role : type.plural(),
            "",
            written.namespace(),
            binding ? roleRef.path("name").asText() : written.name(),
            "");
    if (allows(user, exempt)) {
      return;
    }
    List<Rule> given =
        binding ? authorizer.rulesOf(roleRef, written.namespace()) : Rule.all(written.at("/rules"));
    List<String> missing = new ArrayList<>();
    for (Rule rule : given) {
      if (!rule.parts(written.namespace()).stream().allMatch(part -> allows(user, part))) {
        missing.add(rule.toString());
      }
    }
    if (!missing.isEmpty()) {
      throw AccessDenied.forbidden(
          type.plural()
              + "."
              + type.group()
              + " \""
              + written.name()
              + "\" is forbidden: user \""
              + user.name()
              + "\" (groups="
              + user.groups().stream().map(group -> "\"" + group + "\"").toList()
              + ") is attempting to grant RBAC permissions not currently held:\n"
              + String.join("\n", missing));
    }
  }

  /** Without roles: whoever has shown who they are may do everything, others ask for health. */
  private static final class AuthenticatedOnly implements Authorizer {

    private static final List<String> PUBLIC = List.of("/healthz", "/livez", "/readyz", "/version");

    @Override
    public boolean allows(User user, Attributes wanted) {
      return user.groups().contains(User.AUTHENTICATED) || PUBLIC.contains(wanted.path());
    }

    @Override
    public List<Rule> rules(User user, String namespace) {
      return user.groups().contains(User.AUTHENTICATED)
          ? EVERYTHING.rules(user, namespace)
          : List.of(new Rule(List.of("get"), List.of(), List.of(), List.of(), PUBLIC));
    }

    @Override
    public List<Rule> rulesOf(JsonNode roleRef, String namespace) {
      return List.of();
    }
  }
}
