package dev.paramecium.container.stack;

/** What a stack counts; every frame that it does not deliver is one of these. */
enum Counter {
  FRAMES_IN("EthInFrames"),
  FRAMES_OUT("EthOutFrames"),
  DROP_NO_DEVICE("EthInNoDevice"),
  DROP_TOO_SHORT("EthInTruncated"),
  DROP_OTHER_HOST("EthInOtherHost"),
  DROP_UNKNOWN_ETHERTYPE("EthInUnknownProtos"),
  DROP_LOOPBACK_FULL("LoBacklogDrops"),
  DROP_NO_BUFFER("OutNoBuffers"),

  ARP_IN("ArpInPackets"),
  ARP_IN_ERRORS("ArpInErrors"),
  ARP_IN_IGNORED("ArpInIgnored"),
  ARP_OUT("ArpOutPackets"),
  NEIGHBOUR_FAILED("NeighResolveFailed"),
  NEIGHBOUR_QUEUE_FULL("NeighUnresDiscards"),
  NEIGHBOUR_TABLE_FULL("NeighTableFulls"),

  IP_IN("IpInReceives"),
  IP_IN_HEADER_ERRORS("IpInHdrErrors"),
  IP_IN_CHECKSUM_ERRORS("IpExtInCsumErrors"),
  IP_IN_TRUNCATED("IpExtInTruncatedPkts"),
  IP_IN_ADDRESS_ERRORS("IpInAddrErrors"),
  IP_IN_MARTIAN("IpExtInMartians"),
  IP_IN_UNKNOWN_PROTOCOL("IpInUnknownProtos"),
  IP_IN_DELIVERS("IpInDelivers"),
  IP_FORWARDED("IpForwDatagrams"),
  NF_NO_PORT("NfNatNoPort"),
  IP_IN_NO_ROUTES("IpExtInNoRoutes"),
  IP_IN_TTL_EXCEEDED("IpInTtlExceeded"),
  IP_OUT("IpOutRequests"),
  IP_OUT_NO_ROUTES("IpOutNoRoutes"),
  IP_REASSEMBLY_NEEDED("IpReasmReqds"),
  IP_REASSEMBLY_OK("IpReasmOKs"),
  IP_REASSEMBLY_FAILED("IpReasmFails"),
  IP_REASSEMBLY_TIMEOUT("IpReasmTimeout"),
  IP_FRAGMENTED("IpFragOKs"),
  IP_FRAGMENT_FAILED("IpFragFails"),
  IP_FRAGMENTS_CREATED("IpFragCreates"),

  ICMP_IN("IcmpInMsgs"),
  ICMP_IN_ERRORS("IcmpInErrors"),
  ICMP_IN_CHECKSUM_ERRORS("IcmpInCsumErrors"),
  ICMP_IN_IGNORED("IcmpInIgnored"),
  ICMP_OUT("IcmpOutMsgs"),
  ICMP_OUT_RATE_LIMITED("IcmpOutRateLimited"),

  UDP_IN("UdpInDatagrams"),
  UDP_IN_NO_PORT("UdpNoPorts"),
  UDP_IN_ERRORS("UdpInErrors"),
  UDP_IN_CHECKSUM_ERRORS("UdpInCsumErrors"),
  UDP_OUT("UdpOutDatagrams"),

  /** Bytes that went into a local peer's receive queue instead of into segments. */
  SK_MSG_REDIRECTED("SkMsgRedirectedBytes"),

  TCP_IN("TcpInSegs"),
  TCP_IN_ERRORS("TcpInErrs"),
  TCP_IN_CHECKSUM_ERRORS("TcpInCsumErrors"),
  TCP_OUT("TcpOutSegs"),
  TCP_OUT_RESETS("TcpOutRsts"),
  TCP_RETRANSMITTED("TcpRetransSegs"),
  TCP_ACTIVE_OPENS("TcpActiveOpens"),
  TCP_PASSIVE_OPENS("TcpPassiveOpens"),
  TCP_ATTEMPT_FAILS("TcpAttemptFails"),
  TCP_ESTABLISHED_RESETS("TcpEstabResets"),
  TCP_LISTEN_OVERFLOWS("TcpExtListenOverflows"),
  TCP_TIMEOUTS("TcpExtTCPTimeouts"),
  TCP_FAST_RECOVERIES("TcpExtTCPSackRecovery"),
  TCP_RENO_RECOVERIES("TcpExtTCPRenoRecovery"),
  TCP_LOSS_PROBES("TcpExtTCPLossProbes"),
  TCP_SPURIOUS_RECOVERIES("TcpExtTCPDSACKUndo"),
  TCP_DUPLICATE_ACKS_IN("TcpExtTCPDupAcksIn"),
  TCP_OUT_OF_ORDER_QUEUED("TcpExtTCPOFOQueue"),
  TCP_OUT_OF_ORDER_DROPPED("TcpExtTCPOFODrop"),
  TCP_DUPLICATES_IN("TcpExtTCPDuplicatesIn"),
  TCP_OUT_OF_WINDOW("TcpExtTCPOutOfWindow"),
  TCP_PAWS_REJECTED("TcpExtPAWSEstab"),
  TCP_CHALLENGE_ACKS("TcpExtTCPChallengeACK"),
  TCP_DELAYED_ACKS("TcpExtDelayedACKs"),
  TCP_WINDOW_PROBES("TcpExtTCPWinProbe"),
  TCP_KEEPALIVES("TcpExtTCPKeepAlive"),
  TCP_ABORT_ON_DATA("TcpExtTCPAbortOnData"),
  TCP_ABORT_ON_TIMEOUT("TcpExtTCPAbortOnTimeout"),
  TCP_TIME_WAIT("TcpExtTW"),
  TCP_TIME_WAIT_RECYCLED("TcpExtTWRecycled"),
  TCP_TIME_WAIT_OVERFLOW("TcpExtTCPTimeWaitOverflow");

  private final String key;

  Counter(String key) {
    this.key = key;
  }

  /** nstat's name where it has one. */
  String key() {
    return key;
  }
}
