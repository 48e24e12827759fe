package dev.paramecium.apiserver.access;

import java.util.ArrayList;
import java.util.List;

/** Who sent a request ({@code authentication/user}). */
public record User(String name, String uid, List<String> groups) {

  static final String MASTERS = "system:masters";
  static final String AUTHENTICATED = "system:authenticated";
  static final String UNAUTHENTICATED = "system:unauthenticated";
  static final String SERVICE_ACCOUNT = "system:serviceaccount:";
  static final String SERVICE_ACCOUNTS = "system:serviceaccounts";
  static final String NOBODY = "system:anonymous";

  /**
   * Whoever reaches a server that listens on loopback without TLS, as {@code --insecure-port} once
   * did.
   */
  public static final User UNSECURED =
      new User("system:unsecured", "", List.of(MASTERS, AUTHENTICATED));

  static final User ANONYMOUS = new User(NOBODY, "", List.of(UNAUTHENTICATED));

  public User {
    groups = List.copyOf(groups);
  }

  /** Somebody who has shown who they are. */
  static User authenticated(String name, String uid, List<String> groups) {
    List<String> all = new ArrayList<>(groups);
    if (name.equals(NOBODY)) {
      all.add(UNAUTHENTICATED);
    } else if (!all.contains(AUTHENTICATED)) {
      all.add(AUTHENTICATED);
    }
    return new User(name, uid, all);
  }

  static User serviceAccount(String namespace, String name, String uid) {
    return authenticated(
        SERVICE_ACCOUNT + namespace + ":" + name, uid, serviceAccountGroups(namespace));
  }

  static List<String> serviceAccountGroups(String namespace) {
    return List.of(SERVICE_ACCOUNTS, SERVICE_ACCOUNTS + ":" + namespace);
  }
}
