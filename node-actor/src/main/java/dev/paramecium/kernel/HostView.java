package dev.paramecium.kernel;

import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.container.proxy.LogRecord;
import dev.paramecium.datapath.DeviceCounters;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.LoadedProgram;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.PacketTap;
import dev.paramecium.datapath.xdp.BpfXdp;
import dev.paramecium.inspect.EventQueue;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The node as its own tools see it: what the kernel's actor last published, and live counters. */
final class HostView implements KernelView {

  private static final int PAGE = 4096;

  private final KernelConfig config;
  private final NodeDatapath node;
  private final MapTable maps;
  private final AccessLog accessLog;
  private volatile @Nullable DatapathConfig datapath;
  private volatile List<String> namespaces = List.of();
  private volatile List<Attachment> attachments = List.of();

  HostView(KernelConfig config, NodeDatapath node, MapTable maps, AccessLog accessLog) {
    this.config = config;
    this.node = node;
    this.maps = maps;
    this.accessLog = accessLog;
  }

  void publish(
      @Nullable DatapathConfig loaded, List<String> names, List<Attachment> programsOnDevices) {
    datapath = loaded;
    namespaces = List.copyOf(names);
    attachments = List.copyOf(programsOnDevices);
  }

  @Override
  public String nodeName() {
    return config.nodeName();
  }

  @Override
  public Clock clock() {
    return node.clock();
  }

  @Override
  public int possibleCpus() {
    return config.possibleCpus();
  }

  @Override
  public @Nullable DatapathConfig config() {
    return datapath;
  }

  @Override
  public List<Link> links() {
    List<Attachment> attached = attachments;
    List<Link> links = new ArrayList<>();
    for (DevicePort port : node.devices().all()) {
      LinkInfo info = port.link();
      boolean noArp = info.name().equals(Devices.HOST) || info.name().equals(Devices.NET);
      links.add(
          new Link(
              info,
              true,
              true,
              noArp,
              info.kind() == LinkInfo.Kind.ETHERNET ? "fq_codel" : "noqueue",
              attached.stream().anyMatch(a -> a.ifindex() == info.ifindex() && !a.point().isXdp()),
              "",
              counters(port)));
    }
    return List.copyOf(links);
  }

  private static Counters counters(DevicePort port) {
    DeviceCounters counters = port.counters();
    return new Counters(
        counters.rxPackets(),
        counters.rxBytes(),
        0,
        counters.rxDropped() + port.backlog().dropped(),
        counters.txPackets(),
        counters.txBytes(),
        0,
        counters.txDropped());
  }

  @Override
  public List<String> namespaces() {
    return namespaces;
  }

  @Override
  public List<Attachment> attachments() {
    return attachments;
  }

  @Override
  public List<CgroupAttachment> cgroupAttachments() {
    return SocketPrograms.attachments(node.cgroup());
  }

  @Override
  public List<ProgramInfo> programs() {
    return Stream.concat(
            node.programs().all().stream().map(HostView::info),
            node.cgroup().attached().stream().map(SocketPrograms::info))
        .toList();
  }

  private static ProgramInfo info(LoadedProgram loaded) {
    return info(
        loaded.id(),
        loaded.section().object().equals(BpfXdp.OBJECT) ? "xdp" : "sched_cls",
        loaded.section().function(),
        loaded.section().object(),
        loaded.section().section(),
        loaded.tag(),
        loaded.loadedAtEpochMs(),
        loaded.mapIds(),
        loaded.statistics().runCount(),
        loaded.statistics().runTimeNs());
  }

  /** Sizes are made of the section's name: there is no bytecode to measure. */
  static ProgramInfo info(
      int id,
      String type,
      String function,
      String object,
      String section,
      long tag,
      long loadedAtEpochMs,
      List<Integer> mapIds,
      long runCount,
      long runTimeNs) {
    int instructions = 64 + (int) (tag >>> 54);
    int xlated = instructions * 8;
    int jited = instructions * 5 + 32;
    return new ProgramInfo(
        id,
        type,
        function,
        object,
        section,
        tag,
        loadedAtEpochMs,
        xlated,
        jited,
        (xlated + PAGE - 1) / PAGE * PAGE,
        mapIds,
        0,
        runCount,
        runTimeNs);
  }

  @Override
  public List<BpfMap> maps() {
    return maps.all();
  }

  @Override
  public PerfEventArray.Reader openPerfRing(Runnable wakeup) {
    return maps.shared().events().open(PerfEventArray.MONITOR_PAGES, wakeup);
  }

  @Override
  public Subscription openAccessLog(EventQueue<LogRecord> messages) {
    return accessLog.open(messages);
  }

  @Override
  public Subscription openPacketTap(int ifindex, int snapLength, EventQueue<Frame> frames) {
    PacketTap tap = new PacketTap(snapLength, node.clock(), frames);
    List<DevicePort> tapped =
        node.devices().all().stream()
            .filter(
                port -> ifindex == 0 ? port.link().netns().isEmpty() : port.ifindex() == ifindex)
            .toList();
    tapped.forEach(port -> port.tell(new NetDevice.OpenTap(tap)));
    return () -> tapped.forEach(port -> port.tell(new NetDevice.CloseTap(tap)));
  }
}
