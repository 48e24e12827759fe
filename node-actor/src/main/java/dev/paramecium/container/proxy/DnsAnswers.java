package dev.paramecium.container.proxy;

import dev.paramecium.abi.Ipv4Address;
import java.util.List;

/** Who learns names from what the DNS proxy lets through. */
public interface DnsAnswers {

  /** Nobody learns. */
  DnsAnswers IGNORED = (_, released) -> released.run();

  /**
   * An answer with addresses.
   *
   * @param endpointId who asked
   * @param name qualified, in lower case
   * @param ttl in seconds, the smallest of the records
   */
  record Answer(int endpointId, String name, List<Ipv4Address> addresses, long ttl) {}

  /**
   * Hears of an answer before the endpoint does.
   *
   * @param released is run on the proxy's thread when the endpoint may have it: what it asks next
   *     is to be allowed already
   */
  void heard(Answer answer, Runnable released);
}
