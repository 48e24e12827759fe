package dev.paramecium.container.socket;

import dev.paramecium.abi.Ipv4Address;

/** What a ping socket tells its process. */
public interface PingHandler {

  void reply(Ipv4Address from, int sequence, int ttl, byte[] payload);

  /** An ICMP error for one of this socket's requests: type and code as on the wire. */
  default void error(Ipv4Address from, int type, int code, int sequence) {}
}
