package dev.paramecium.container.stack;

/** A protocol on top of IPv4. */
interface Transport {

  /** Takes a whole datagram for this host; {@code datagram} is lent until the call returns. */
  void receive(Datagram datagram);

  /**
   * Whether an open connection with an address that is not this host's takes the datagram: {@code
   * iptables -m socket --transparent}.
   */
  default boolean holds(Datagram datagram) {
    return false;
  }

  /** Takes an ICMP error about a datagram that this host sent. */
  void error(IcmpError error);
}
