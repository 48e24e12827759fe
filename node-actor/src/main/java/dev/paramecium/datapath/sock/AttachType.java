package dev.paramecium.datapath.sock;

import dev.paramecium.datapath.Hook;

/** Where on a cgroup, or on a sock map, a program is attached. */
public enum AttachType {
  CONNECT4("connect4", Hook.CONNECT4, "cgroup_sock_addr"),
  GETPEERNAME4("getpeername4", Hook.GETPEERNAME4, "cgroup_sock_addr"),
  POST_BIND4("post_bind4", Hook.POST_BIND4, "cgroup_sock"),
  SENDMSG4("sendmsg4", Hook.SENDMSG4, "cgroup_sock_addr"),
  RECVMSG4("recvmsg4", Hook.RECVMSG4, "cgroup_sock_addr"),
  SOCK_OPS("sock_ops", Hook.SOCK_OPS, "sock_ops"),
  /** Of the sock map's sockets, not of a cgroup. */
  SK_MSG_VERDICT("sk_msg_verdict", Hook.SK_MSG, "sk_msg");

  private final String bpftoolName;
  private final Hook hook;
  private final String programType;

  AttachType(String bpftoolName, Hook hook, String programType) {
    this.bpftoolName = bpftoolName;
    this.hook = hook;
    this.programType = programType;
  }

  /** As {@code bpftool cgroup} prints it. */
  public String bpftoolName() {
    return bpftoolName;
  }

  public Hook hook() {
    return hook;
  }

  /** The ELF section that is loaded for it. */
  public String section() {
    return hook.section(0);
  }

  /** The kernel's program type, as {@code bpftool prog} prints it. */
  public String programType() {
    return programType;
  }

  /** Whether it is attached to a cgroup. */
  public boolean isOnCgroup() {
    return this != SK_MSG_VERDICT;
  }
}
