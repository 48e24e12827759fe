package dev.paramecium.datapath.sock;

/**
 * One ELF section of an object for sockets.
 *
 * @param attachType where it goes
 * @param program what runs
 */
public record SocketSection(AttachType attachType, SocketProgram program) {

  /** {@code bpf_sock.o}. */
  public String object() {
    return attachType.hook().object("");
  }

  /** The C function. */
  public String function() {
    return attachType.hook().function();
  }

  /** {@code bpf_sock.o:[cgroup/connect4]}. */
  public String name() {
    return object() + ":[" + attachType.section() + "]";
  }
}
