package dev.paramecium.lib;

/** CILIUM_CALL_…: slots of an object's own program array ({@code bpf/lib/common.h}). */
public final class Calls {

  public static final int ARP = 6;

  /** In {@code bpf_lxc.o}. */
  public static final int IPV4_FROM_LXC = 7;

  /** The same slot in {@code bpf_host.o}. */
  public static final int IPV4_FROM_NETDEV = 7;

  /** The same slot in {@code bpf_overlay.o}. */
  public static final int IPV4_FROM_OVERLAY = 7;

  public static final int IPV4_TO_ENDPOINT = 13;
  public static final int IPV4_NODEPORT_NAT = 15;
  public static final int IPV4_NODEPORT_REVNAT = 17;
  public static final int IPV4_NODEPORT_DSR = 20;
  public static final int IPV4_FROM_HOST = 22;
  public static final int IPV4_FROM_LXC_CONT = 25;
  public static final int IPV4_CT_INGRESS = 27;
  public static final int IPV4_CT_EGRESS = 29;

  private Calls() {}
}
