package dev.paramecium.deploy.verify;

import dev.paramecium.deploy.UserError;

/** A pod, as {@code namespace/name}. */
public record PodName(String namespace, String name) {

  /**
   * Reads {@code [namespace/]name}.
   *
   * @throws UserError if it is neither
   */
  public static PodName parse(String text) {
    int slash = text.indexOf('/');
    String namespace = slash < 0 ? "default" : text.substring(0, slash);
    String name = text.substring(slash + 1);
    if (!isDnsName(namespace) || !isDnsName(name)) {
      throw new UserError(
          UserError.USAGE, "\"" + text + "\" is not a pod: write NAMESPACE/POD, as in x/a");
    }
    return new PodName(namespace, name);
  }

  static boolean isDnsName(String text) {
    return text.matches("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
