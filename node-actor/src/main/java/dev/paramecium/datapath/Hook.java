package dev.paramecium.datapath;

import java.util.Locale;

/**
 * Where on its walk a packet is looked at: the attach points of Cilium's programs with what is
 * attached there, and the two ends of the walk inside the pods.
 *
 * <p>The direction of a hook is the device's, seen from the host: tc ingress on an lxc device is
 * what the pod <i>sends</i>. The direction of a policy is the pod's. The step is the place in the
 * walk of a packet from a pod on one node to a pod on another; 0 stands beside that walk.
 *
 * <pre>
 *   node 1   pod eth0 (1) --&gt; lxc (2) --&gt; cilium_vxlan (3) --&gt; eth0 (4) --&gt; underlay
 *   node 2   underlay --&gt; eth0 (XDP, 5) --&gt; cilium_vxlan (6) --&gt; policy of lxc (7) --&gt; pod eth0 (8)
 * </pre>
 */
public enum Hook {
  /** The pod's stack hands a frame to its eth0. */
  CONTAINER_SEND(1, Direction.EGRESS, "stack", "", "", ""),
  /** lxc…, tc ingress. */
  FROM_CONTAINER(
      2, Direction.INGRESS, "tc ingress", "bpf_lxc.o", "from-container", "handle_xgress"),
  /** cilium_vxlan, tc egress. */
  TO_OVERLAY(3, Direction.EGRESS, "tc egress", "bpf_overlay.o", "to-overlay", "to_overlay"),
  /** The node's eth0, tc egress. */
  TO_NETDEV(4, Direction.EGRESS, "tc egress", "bpf_netdev_%s.o", "to-netdev", "to_netdev"),
  /** The node's eth0, in its driver, before anything else sees the frame. */
  XDP(0, Direction.INGRESS, "xdp", "bpf_xdp.o", "from-netdev", "bpf_xdp_entry"),
  /** The node's eth0, tc ingress. */
  FROM_NETDEV(5, Direction.INGRESS, "tc ingress", "bpf_netdev_%s.o", "from-netdev", "from_netdev"),
  /** cilium_vxlan, tc ingress. */
  FROM_OVERLAY(6, Direction.INGRESS, "tc ingress", "bpf_overlay.o", "from-overlay", "from_overlay"),
  /** An endpoint's slot of cilium_call_policy; reached by tail call only. */
  POLICY_CALL(7, Direction.EGRESS, "tail call", "bpf_lxc.o", "1/0x%04x", "handle_policy"),
  /** The frame leaves the veth inside the pod. */
  CONTAINER_RECEIVE(8, Direction.INGRESS, "veth", "", "", ""),
  /** cilium_host, tc egress: what the node itself sends to pods. */
  FROM_HOST(0, Direction.EGRESS, "tc egress", "bpf_host.o", "from-host", "from_host"),
  /** cilium_host, tc ingress: what reaches the node's own stack. */
  TO_HOST(0, Direction.INGRESS, "tc ingress", "bpf_host.o", "to-host", "to_host"),
  /** cilium_net, tc ingress: the same program, loaded once more for this device. */
  TO_HOST_NET(0, Direction.INGRESS, "tc ingress", "bpf_host_cilium_net.o", "to-host", "to_host"),
  /** connect(2) of any process of the node. */
  CONNECT4(
      0, Direction.EGRESS, "cgroup connect4", "bpf_sock.o", "cgroup/connect4", "sock4_connect"),
  /** sendmsg(2) and sendto(2) on UDP sockets. */
  SENDMSG4(
      0, Direction.EGRESS, "cgroup sendmsg4", "bpf_sock.o", "cgroup/sendmsg4", "sock4_sendmsg"),
  /** recvmsg(2) and recvfrom(2) on UDP sockets. */
  RECVMSG4(
      0, Direction.INGRESS, "cgroup recvmsg4", "bpf_sock.o", "cgroup/recvmsg4", "sock4_recvmsg"),
  /** getpeername(2). */
  GETPEERNAME4(
      0,
      Direction.INGRESS,
      "cgroup getpeername4",
      "bpf_sock.o",
      "cgroup/getpeername4",
      "sock4_getpeername"),
  /** bind(2), when the socket has its address. */
  POST_BIND4(
      0,
      Direction.INGRESS,
      "cgroup post_bind4",
      "bpf_sock.o",
      "cgroup/post_bind4",
      "sock4_post_bind"),
  /** A TCP connection of any process of the node is established. */
  SOCK_OPS(0, Direction.EGRESS, "cgroup sock_ops", "bpf_sockops.o", "sockops", "bpf_sockmap"),
  /** send(2) on a socket of the sock map. */
  SK_MSG(0, Direction.EGRESS, "sk_msg", "bpf_redir.o", "sk_msg", "bpf_redir_proxy");

  /** Which way the device moves the packet. */
  public enum Direction {
    INGRESS,
    EGRESS
  }

  private final int step;
  private final Direction direction;
  private final String place;
  private final String object;
  private final String section;
  private final String function;

  Hook(
      int step, Direction direction, String place, String object, String section, String function) {
    this.step = step;
    this.direction = direction;
    this.place = place;
    this.object = object;
    this.section = section;
    this.function = function;
  }

  /**
   * Where a section is attached.
   *
   * @throws IllegalArgumentException for a section that is attached nowhere
   */
  public static Hook of(String object, String section) {
    for (Hook hook : values()) {
      if (!hook.section.isEmpty()
          && hook.section.equals(section)
          && (hook == XDP) == object.equals(XDP.object)
          && (hook != TO_HOST || !object.equals(TO_HOST_NET.object))) {
        return hook;
      }
    }
    throw new IllegalArgumentException(
        "section " + section + " of " + object + " belongs to no device");
  }

  /** 1 to 8, or 0 beside the walk. */
  public int step() {
    return step;
  }

  public Direction direction() {
    return direction;
  }

  /**
   * {@code xdp}, {@code tc ingress}, {@code tc egress}, {@code tail call}, {@code stack} or {@code
   * veth}.
   */
  public String place() {
    return place;
  }

  /** The C function that the kernel enters; empty where no program is attached. */
  public String function() {
    return function;
  }

  /** The object file as loaded for a device: {@code bpf_netdev_eth0.o}. */
  public String object(String device) {
    return String.format(Locale.ROOT, object, device);
  }

  /** The ELF section; that of {@link #POLICY_CALL} is numbered by the endpoint. */
  public String section(int endpointId) {
    return String.format(Locale.ROOT, section, endpointId);
  }
}
