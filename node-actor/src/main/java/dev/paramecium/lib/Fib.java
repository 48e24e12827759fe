package dev.paramecium.lib;

import dev.paramecium.bpf.SkBuff;

/** {@code bpf_fib_lookup}: what the node's routing table and neighbours say. */
public interface Fib {

  int SUCCESS = 0;
  int BLACKHOLE = 1;
  int UNREACHABLE = 2;
  int PROHIBIT = 3;
  int NOT_FORWARDED = 4;
  int FORWARDING_DISABLED = 5;
  int UNSUPPORTED_LWT = 6;
  int NO_NEIGHBOR = 7;
  int FRAG_NEEDED = 8;

  /** The caller's space for an answer. */
  final class Answer {
    /** The device to send through. */
    public int ifindex;

    /** That device's address. */
    public long sourceMac;

    /** The next hop's address. */
    public long destinationMac;

    void clear() {
      ifindex = 0;
      sourceMac = 0;
      destinationMac = 0;
    }
  }

  /**
   * @param ifindex the device that the packet came in on
   * @return one of the BPF_FIB_LKUP_RET codes above; {@code answer} is filled on {@link #SUCCESS}
   */
  int lookup(SkBuff packet, int ifindex, int source, int destination, Answer answer);

  /** A node without forwarding. */
  Fib NONE = (packet, ifindex, source, destination, answer) -> NOT_FORWARDED;
}
