package dev.paramecium.deploy.verify;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;

/** Where a probe goes. */
public sealed interface Destination {

  /** A pod's own address. */
  record OfPod(PodName pod) implements Destination {
    @Override
    public String toString() {
      return pod.toString();
    }
  }

  /** Any address. */
  record OfAddress(Ipv4Address address) implements Destination {
    @Override
    public String toString() {
      return address.toString();
    }
  }

  /** A Service's cluster address; the port is the Service's. */
  record OfService(String namespace, String name) implements Destination {
    @Override
    public String toString() {
      return "service " + namespace + "/" + name;
    }
  }

  /**
   * Reads {@code namespace/pod}, an IPv4 address, or {@code service namespace/name}.
   *
   * @throws UserError if it is none of these
   */
  static Destination parse(String text) {
    if (text.startsWith("service ")) {
      PodName name = PodName.parse(text.substring("service ".length()).strip());
      return new OfService(name.namespace(), name.name());
    }
    if (text.matches("[0-9.]+")) {
      try {
        return new OfAddress(Ipv4Address.parse(text));
      } catch (IllegalArgumentException e) {
        throw new UserError(UserError.USAGE, String.valueOf(e.getMessage()));
      }
    }
    return new OfPod(PodName.parse(text));
  }
}
