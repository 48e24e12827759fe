package dev.paramecium.lib;

/**
 * Lifetimes of conntrack entries and the report interval, in seconds.
 *
 * @param tcp CT_CONNECTION_LIFETIME_TCP
 * @param any CT_CONNECTION_LIFETIME_NONTCP
 * @param serviceTcp CT_SERVICE_LIFETIME_TCP
 * @param serviceAny CT_SERVICE_LIFETIME_NONTCP
 * @param syn CT_SYN_TIMEOUT, until something else than a SYN was seen
 * @param close CT_CLOSE_TIMEOUT, after both sides closed
 * @param serviceCloseRebalance CT_SERVICE_CLOSE_REBALANCE, after which a SYN may choose another
 *     backend for a closing service entry
 * @param reportInterval CT_REPORT_INTERVAL, between two traces of one direction of a connection
 */
public record ConntrackTimeouts(
    int tcp,
    int any,
    int serviceTcp,
    int serviceAny,
    int syn,
    int close,
    int serviceCloseRebalance,
    int reportInterval) {

  /** v1.12.3's. */
  public static final ConntrackTimeouts DEFAULT =
      new ConntrackTimeouts(21600, 60, 21600, 60, 60, 10, 60, 5);
}
