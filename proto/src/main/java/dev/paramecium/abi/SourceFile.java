package dev.paramecium.abi;

/**
 * The numbers by which a drop event names the program's source ({@code
 * pkg/datapath/loader/compile.go}).
 */
public final class SourceFile {

  public static final int BPF_NETWORK = 1;
  public static final int BPF_SOCK = 2;
  public static final int BPF_HOST = 3;
  public static final int BPF_OVERLAY = 4;
  public static final int BPF_XDP = 5;
  public static final int BPF_LXC = 8;

  private SourceFile() {}

  /** {@code bpf_lxc.c}; {@code unknown} for a number that Cilium does not know. */
  public static String name(int number) {
    return switch (number) {
      case BPF_NETWORK -> "bpf_network.c";
      case BPF_SOCK -> "bpf_sock.c";
      case BPF_HOST -> "bpf_host.c";
      case BPF_OVERLAY -> "bpf_overlay.c";
      case BPF_XDP -> "bpf_xdp.c";
      case 6 -> "bpf_alignchecker.c";
      case 7 -> "cilium-probe-kernel-hz.c";
      case BPF_LXC -> "bpf_lxc.c";
      default -> "unknown";
    };
  }
}
