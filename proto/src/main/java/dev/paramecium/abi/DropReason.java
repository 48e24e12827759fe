package dev.paramecium.abi;

import org.jspecify.annotations.Nullable;

/**
 * Drop and metric reasons, as numbers that programs compute with ({@code bpf/lib/common.h}) and
 * texts that the tools print ({@code pkg/monitor/api/drop.go}). A program returns the negative of a
 * code; metrics and events carry the positive. Codes below {@link #MIN_DROP} count something that
 * is not a drop.
 */
public final class DropReason {

  /** The smallest code that is a drop. */
  public static final int MIN_DROP = 130;

  public static final int SUCCESS = 0;
  public static final int METRIC_INVALID = 2;
  public static final int PLAINTEXT = 3;
  public static final int DECRYPTED = 4;
  public static final int LB_NO_BACKEND_SLOT = 5;
  public static final int LB_NO_BACKEND = 6;
  public static final int LB_REVERSE_ENTRY_UPDATE_FAILED = 7;
  public static final int LB_REVERSE_ENTRY_STALE = 8;
  public static final int FRAGMENTED = 9;
  public static final int FRAGMENTED_UPDATE_FAILED = 10;
  public static final int MISSED_CUSTOM_TAIL_CALL = 11;
  public static final int INVALID_SMAC = 130;
  public static final int INVALID_DMAC = 131;
  public static final int INVALID_SIP = 132;
  public static final int POLICY = 133;
  public static final int INVALID = 134;
  public static final int CT_INVALID_HDR = 135;
  public static final int FRAG_NEEDED = 136;
  public static final int CT_UNKNOWN_PROTO = 137;
  public static final int CT_CANT_CREATE = 138;
  public static final int UNKNOWN_L3 = 139;
  public static final int MISSED_TAIL_CALL = 140;
  public static final int WRITE_ERROR = 141;
  public static final int UNKNOWN_L4 = 142;
  public static final int UNKNOWN_ICMP_CODE = 143;
  public static final int UNKNOWN_ICMP_TYPE = 144;
  public static final int UNKNOWN_ICMP6_CODE = 145;
  public static final int UNKNOWN_ICMP6_TYPE = 146;
  public static final int NO_TUNNEL_KEY = 147;
  public static final int NO_TUNNEL_OPT = 148;
  public static final int INVALID_GENEVE = 149;
  public static final int UNKNOWN_TARGET = 150;
  public static final int UNROUTABLE = 151;
  public static final int NO_LXC = 152;
  public static final int CSUM_L3 = 153;
  public static final int CSUM_L4 = 154;
  public static final int CT_CREATE_FAILED = 155;
  public static final int INVALID_EXTHDR = 156;
  public static final int FRAG_NOSUPPORT = 157;
  public static final int NO_SERVICE = 158;
  public static final int NO_TUNNEL_ENDPOINT = 160;
  public static final int NAT46X64_DISABLED = 161;
  public static final int EDT_HORIZON = 162;
  public static final int UNKNOWN_CT = 163;
  public static final int HOST_UNREACHABLE = 164;
  public static final int NO_CONFIG = 165;
  public static final int UNSUPPORTED_L2 = 166;
  public static final int NAT_NO_MAPPING = 167;
  public static final int NAT_UNSUPP_PROTO = 168;
  public static final int NO_FIB = 169;
  public static final int ENCAP_PROHIBITED = 170;
  public static final int INVALID_IDENTITY = 171;
  public static final int UNKNOWN_SENDER = 172;
  public static final int NAT_NOT_NEEDED = 173;
  public static final int IS_CLUSTER_IP = 174;
  public static final int FRAG_NOT_FOUND = 175;
  public static final int FORBIDDEN_ICMP6 = 176;
  public static final int NOT_IN_SRC_RANGE = 177;
  public static final int PROXY_LOOKUP_FAILED = 178;
  public static final int PROXY_SET_FAILED = 179;
  public static final int PROXY_UNKNOWN_PROTO = 180;
  public static final int POLICY_DENY = 181;
  public static final int VLAN_FILTERED = 182;
  public static final int INVALID_VNI = 183;
  public static final int INVALID_TC_BUFFER = 184;

  private static final @Nullable String[] TEXT = new @Nullable String[256];

  static {
    TEXT[SUCCESS] = "Success";
    TEXT[METRIC_INVALID] = "Invalid packet";
    TEXT[PLAINTEXT] = "Interface";
    TEXT[DECRYPTED] = "Interface Decrypted";
    TEXT[LB_NO_BACKEND_SLOT] = "LB, sock cgroup: No backend slot entry found";
    TEXT[LB_NO_BACKEND] = "LB, sock cgroup: No backend entry found";
    TEXT[LB_REVERSE_ENTRY_UPDATE_FAILED] = "LB, sock cgroup: Reverse entry update failed";
    TEXT[LB_REVERSE_ENTRY_STALE] = "LB, sock cgroup: Reverse entry stale";
    TEXT[FRAGMENTED] = "Fragmented packet";
    TEXT[FRAGMENTED_UPDATE_FAILED] = "Fragmented packet entry update failed";
    TEXT[MISSED_CUSTOM_TAIL_CALL] = "Missed tail call to custom program";
    TEXT[INVALID_SMAC] = "Invalid source mac";
    TEXT[INVALID_DMAC] = "Invalid destination mac";
    TEXT[INVALID_SIP] = "Invalid source ip";
    TEXT[POLICY] = "Policy denied";
    TEXT[INVALID] = "Invalid packet";
    TEXT[CT_INVALID_HDR] = "CT: Truncated or invalid header";
    TEXT[FRAG_NEEDED] = "Fragmentation needed";
    TEXT[CT_UNKNOWN_PROTO] = "CT: Unknown L4 protocol";
    TEXT[CT_CANT_CREATE] = "CT: Can't create entry from packet";
    TEXT[UNKNOWN_L3] = "Unsupported L3 protocol";
    TEXT[MISSED_TAIL_CALL] = "Missed tail call";
    TEXT[WRITE_ERROR] = "Error writing to packet";
    TEXT[UNKNOWN_L4] = "Unknown L4 protocol";
    TEXT[UNKNOWN_ICMP_CODE] = "Unknown ICMPv4 code";
    TEXT[UNKNOWN_ICMP_TYPE] = "Unknown ICMPv4 type";
    TEXT[UNKNOWN_ICMP6_CODE] = "Unknown ICMPv6 code";
    TEXT[UNKNOWN_ICMP6_TYPE] = "Unknown ICMPv6 type";
    TEXT[NO_TUNNEL_KEY] = "Error retrieving tunnel key";
    TEXT[NO_TUNNEL_OPT] = "Error retrieving tunnel options";
    TEXT[INVALID_GENEVE] = "Invalid Geneve option";
    TEXT[UNKNOWN_TARGET] = "Unknown L3 target address";
    TEXT[UNROUTABLE] = "Stale or unroutable IP";
    TEXT[NO_LXC] = "No matching local container found";
    TEXT[CSUM_L3] = "Error while correcting L3 checksum";
    TEXT[CSUM_L4] = "Error while correcting L4 checksum";
    TEXT[CT_CREATE_FAILED] = "CT: Map insertion failed";
    TEXT[INVALID_EXTHDR] = "Invalid IPv6 extension header";
    TEXT[FRAG_NOSUPPORT] = "IP fragmentation not supported";
    TEXT[NO_SERVICE] = "Service backend not found";
    TEXT[NO_TUNNEL_ENDPOINT] = "No tunnel/encapsulation endpoint (datapath BUG!)";
    TEXT[NAT46X64_DISABLED] = "NAT 46/64 not enabled";
    TEXT[EDT_HORIZON] = "Reached EDT rate-limiting drop horizon";
    TEXT[UNKNOWN_CT] = "Unknown connection tracking state";
    TEXT[HOST_UNREACHABLE] = "Local host is unreachable";
    TEXT[NO_CONFIG] = "No configuration available to perform policy decision";
    TEXT[UNSUPPORTED_L2] = "Unsupported L2 protocol";
    TEXT[NAT_NO_MAPPING] = "No mapping for NAT masquerade";
    TEXT[NAT_UNSUPP_PROTO] = "Unsupported protocol for NAT masquerade";
    TEXT[NO_FIB] = "FIB lookup failed";
    TEXT[ENCAP_PROHIBITED] = "Encapsulation traffic is prohibited";
    TEXT[INVALID_IDENTITY] = "Invalid identity";
    TEXT[UNKNOWN_SENDER] = "Unknown sender";
    TEXT[NAT_NOT_NEEDED] = "NAT not needed";
    TEXT[IS_CLUSTER_IP] = "Is a ClusterIP";
    TEXT[FRAG_NOT_FOUND] = "First logical datagram fragment not found";
    TEXT[FORBIDDEN_ICMP6] = "Forbidden ICMPv6 message";
    TEXT[NOT_IN_SRC_RANGE] = "Denied by LB src range check";
    TEXT[PROXY_LOOKUP_FAILED] = "Socket lookup failed";
    TEXT[PROXY_SET_FAILED] = "Socket assign failed";
    TEXT[PROXY_UNKNOWN_PROTO] = "Proxy redirection not supported for protocol";
    TEXT[POLICY_DENY] = "Policy denied by denylist";
    TEXT[VLAN_FILTERED] = "VLAN traffic disallowed by VLAN filter";
    TEXT[INVALID_VNI] = "Incorrect VNI from VTEP";
    TEXT[INVALID_TC_BUFFER] = "Failed to update or lookup TC buffer";
  }

  private DropReason() {}

  /** {@code Policy denied}; a code without a text prints as two numbers, the second 0. */
  public static String text(int code) {
    return text(code, 0);
  }

  /**
   * With the errno of the step that failed: {@code FIB lookup failed, 4}.
   *
   * @param code 0 to 255
   * @param extError 0 for none
   */
  public static String text(int code, int extError) {
    String text = TEXT[code & 0xff];
    if (text == null) {
      return (code & 0xff) + ", " + extError;
    }
    return extError == 0 ? text : text + ", " + extError;
  }
}
