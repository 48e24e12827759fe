package dev.paramecium.inspect;

import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.container.proxy.LogRecord;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.LinkInfo;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A node's kernel as the tools of its own host namespace see it, through netlink and bpf(2).
 *
 * <p>Any thread may call; every call answers at once from what the kernel last published, so that a
 * tool never waits for an actor. Lists are immutable snapshots.
 */
public interface KernelView {

  String nodeName();

  Clock clock();

  /** How many per-CPU slots the node has: rings of {@code cilium_events}, per-CPU map values. */
  int possibleCpus();

  /** What the agent loaded the datapath with, or null before it did. */
  @Nullable DatapathConfig config();

  /** Every device of every namespace, by ifindex. */
  List<Link> links();

  /** Names of the network namespaces in {@code /var/run/netns}, oldest first. */
  List<String> namespaces();

  /** Programs on devices, in any order. */
  List<Attachment> attachments();

  /** Programs on cgroups. */
  default List<CgroupAttachment> cgroupAttachments() {
    return List.of();
  }

  /** Every loaded program, tail-called ones included. */
  List<ProgramInfo> programs();

  /**
   * Every map, pinned or not. The value of a program array's entry is the program's id, four bytes
   * little endian, as bpf(2) answers it; that of a per-CPU map is one value per CPU, each rounded
   * up to 8 bytes.
   */
  List<BpfMap> maps();

  /**
   * Follows {@code cilium_events} from now on, with rings as large as cilium-agent's.
   *
   * @param wakeup called on any thread when there is something to read again
   */
  PerfEventArray.Reader openPerfRing(Runnable wakeup);

  /** Gives {@code messages} what the node's L7 proxy logs from now on. */
  default Subscription openAccessLog(EventQueue<LogRecord> messages) {
    return () -> {};
  }

  /**
   * Gives {@code frames} a copy of every frame that passes the device from now on (AF_PACKET).
   *
   * @param ifindex the device, in any namespace; 0 for all devices of the host's namespace
   * @param snapLength how many bytes of a frame are copied at most
   */
  Subscription openPacketTap(int ifindex, int snapLength, EventQueue<Frame> frames);

  /** Ends a subscription; nothing is offered after {@link #close} returned. Idempotent. */
  interface Subscription {
    void close();
  }

  /**
   * A device.
   *
   * @param up IFF_UP; a device without carrier has {@code up} and not {@code lowerUp}
   * @param noArp IFF_NOARP: {@code cilium_host} and {@code cilium_net}
   * @param qdisc the root qdisc: {@code noqueue} for virtual devices, {@code fq_codel}, {@code mq}
   * @param clsact whether a clsact qdisc is there for tc programs
   * @param master the bridge or bond, empty if none
   */
  record Link(
      LinkInfo info,
      boolean up,
      boolean lowerUp,
      boolean noArp,
      String qdisc,
      boolean clsact,
      String master,
      Counters counters) {}

  /** {@code struct rtnl_link_stats64}: rx is what the device received. */
  record Counters(
      long rxPackets,
      long rxBytes,
      long rxErrors,
      long rxDropped,
      long txPackets,
      long txBytes,
      long txErrors,
      long txDropped) {

    public static final Counters ZERO = new Counters(0, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Where on a device a program is attached. */
  enum AttachPoint {
    XDP,
    /** Run by the stack in place of a driver that cannot. */
    XDP_GENERIC,
    INGRESS,
    EGRESS;

    public boolean isXdp() {
      return this == XDP || this == XDP_GENERIC;
    }
  }

  /**
   * A program on a device.
   *
   * @param pref the tc filter's priority, 1 for Cilium's; 0 for XDP
   * @param handle the tc filter's handle, 1 for Cilium's; 0 for XDP
   */
  record Attachment(int ifindex, AttachPoint point, int pref, int handle, int programId) {}

  /**
   * A program on a cgroup.
   *
   * @param cgroup the directory, {@code /sys/fs/cgroup}
   * @param attachType {@code connect4}, {@code sendmsg4}, …
   */
  record CgroupAttachment(String cgroup, String attachType, int programId) {}

  /**
   * A loaded program.
   *
   * @param type the kernel's name: {@code sched_cls}, {@code xdp}, {@code cgroup_sock_addr}, …
   * @param function the C function; the kernel keeps its first 15 characters
   * @param objectFile {@code bpf_lxc.o}, {@code bpf_netdev_eth0.o}, …
   * @param section the ELF section, {@code from-container}, {@code 2/7}, …
   * @param tag the first 8 bytes of the instructions' digest
   * @param loadedAtEpochMs wall clock
   * @param memlock bytes charged, a multiple of the page size
   * @param btfId 0 if there is none
   * @param runCount how often it ran, 0 unless statistics are on
   * @param runTimeNs for how long
   */
  record ProgramInfo(
      int id,
      String type,
      String function,
      String objectFile,
      String section,
      long tag,
      long loadedAtEpochMs,
      int xlatedBytes,
      int jitedBytes,
      int memlock,
      List<Integer> mapIds,
      int btfId,
      long runCount,
      long runTimeNs) {

    public ProgramInfo {
      mapIds = List.copyOf(mapIds);
    }
  }

  /**
   * A frame as a device saw it.
   *
   * @param timestampNs {@link Clock#nanos}
   * @param outgoing whether the device sent it (PACKET_OUTGOING) or received it
   * @param bytes from the Ethernet header, at most the tap's snap length; never changed again
   * @param length of the whole frame
   */
  record Frame(long timestampNs, int ifindex, boolean outgoing, byte[] bytes, int length) {}
}
