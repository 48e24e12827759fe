package dev.paramecium.datapath;

/**
 * Why the kernel itself, rather than a program, ends a packet's life. Programs' own reasons are
 * {@link dev.paramecium.abi.DropReason}s, counted in {@code cilium_metrics}.
 */
public enum DatapathDrop {
  /** Shorter than an Ethernet header. */
  FRAME_TOO_SHORT("frame_too_short"),
  /** Longer than the device's MTU and its header. */
  FRAME_TOO_LONG("frame_too_long"),
  /** A program answered TC_ACT_SHOT. */
  PROGRAM_SHOT("tc_act_shot"),
  /** An XDP program answered XDP_DROP. */
  XDP_DROP("xdp_drop"),
  /** An XDP program answered XDP_ABORTED or a number that is no action. */
  XDP_ABORTED("xdp_aborted"),
  /** A program failed; its actor was restarted. */
  PROGRAM_CRASH("program_crash"),
  /** A redirect to an ifindex that no device has. */
  REDIRECT_NO_DEVICE("redirect_no_device"),
  /** The device is being taken away. */
  DEVICE_GONE("device_gone"),
  /** Sent to cilium_vxlan without a tunnel key. */
  VXLAN_NO_TUNNEL_KEY("vxlan_no_tunnel_key"),
  /** A VXLAN header without the I flag, or cut short. */
  VXLAN_MALFORMED("vxlan_malformed"),
  /** VXLAN that arrived before cilium_vxlan was created. */
  VXLAN_NO_DEVICE("vxlan_no_device"),
  /** A frame that the underlay has no way for: broadcast, multicast, no IPv4. */
  UNDERLAY_NO_ROUTE("underlay_no_route"),
  /** A fault of the device's link, put there on purpose. */
  LINK_FAULT("link_fault"),
  /** All of the node's buffers are out. */
  NO_BUFFER("no_buffer");

  private final String counter;

  DatapathDrop(String counter) {
    this.counter = counter;
  }

  /** The name under which {@code ReadCounters} tells it, after {@code drop_}. */
  public String counter() {
    return counter;
  }
}
