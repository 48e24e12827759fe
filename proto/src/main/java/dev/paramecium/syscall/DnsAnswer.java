package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Address;
import java.util.List;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Addresses that a DNS server gave an endpoint through the node's proxy. The endpoint has them when
 * {@code replyTo} is told, or after a moment.
 *
 * @param name qualified, in lower case
 * @param ttl in seconds
 */
public record DnsAnswer(
    int endpointId, String name, List<Ipv4Address> addresses, long ttl, ActorRef<Done> replyTo) {

  public DnsAnswer {
    addresses = List.copyOf(addresses);
  }
}
