package dev.paramecium.inspect.net;

import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A device as {@code ip link} shows it.
 *
 * @param peer what stands after the {@code @}: the peer's name, {@code if43} for one in another
 *     namespace, empty for none
 * @param peerElsewhere whether the peer is in another namespace
 * @param peerDown M-DOWN: the peer's state cannot be seen from here
 * @param peerNetns the name of the peer's namespace, empty if it has none or is not elsewhere
 * @param peerNetnsId the number of that namespace
 */
record Device(
    KernelView.Link link,
    String peer,
    boolean peerElsewhere,
    boolean peerDown,
    String peerNetns,
    int peerNetnsId) {

  LinkInfo info() {
    return link.info();
  }

  String name() {
    return link.info().name();
  }

  /** With its peer: {@code eth0@if43}. */
  String displayName() {
    return peer.isEmpty() ? name() : name() + "@" + peer;
  }

  /** IFF_ flags in the order of iproute2. */
  List<String> flags() {
    List<String> flags = new ArrayList<>();
    if (link.up() && !link.lowerUp()) {
      flags.add("NO-CARRIER");
    }
    if (info().kind() == LinkInfo.Kind.LOOPBACK) {
      flags.add("LOOPBACK");
    } else {
      flags.add("BROADCAST");
      flags.add("MULTICAST");
    }
    if (link.noArp()) {
      flags.add("NOARP");
    }
    if (link.up()) {
      flags.add("UP");
    }
    if (link.lowerUp()) {
      flags.add("LOWER_UP");
    }
    if (peerDown) {
      flags.add("M-DOWN");
    }
    return flags;
  }

  /** RFC 2863; devices that never tell their carrier are UNKNOWN. */
  String operState() {
    if (!link.up() || !link.lowerUp()) {
      return "DOWN";
    }
    return switch (info().kind()) {
      case LOOPBACK, VXLAN -> "UNKNOWN";
      case ETHERNET, VETH -> "UP";
    };
  }

  String linkType() {
    return info().kind() == LinkInfo.Kind.LOOPBACK ? "loopback" : "ether";
  }

  String broadcast() {
    return info().kind() == LinkInfo.Kind.LOOPBACK ? "00:00:00:00:00:00" : "ff:ff:ff:ff:ff:ff";
  }

  /** The kind as {@code ip link show type} takes it, empty for a device without one. */
  String kind() {
    return switch (info().kind()) {
      case LOOPBACK, ETHERNET -> "";
      case VETH -> "veth";
      case VXLAN -> "vxlan";
    };
  }

  /** The devices of a namespace by ifindex; {@code netns} is empty for the host's. */
  static List<Device> list(@Nullable KernelView kernel, String netns, NamespaceView namespace) {
    List<KernelView.Link> links =
        kernel == null
            ? namespace.links().stream().map(link -> ofPod(link, namespace)).toList()
            : kernel.links().stream().filter(link -> link.info().netns().equals(netns)).toList();
    List<String> names = kernel == null ? List.of() : kernel.namespaces();
    Map<Integer, KernelView.Link> here =
        links.stream().collect(Collectors.toMap(l -> l.info().ifindex(), Function.identity()));
    return links.stream()
        .sorted((a, b) -> Integer.compare(a.info().ifindex(), b.info().ifindex()))
        .map(link -> of(link, here, names))
        .toList();
  }

  private static KernelView.Link ofPod(LinkInfo info, NamespaceView namespace) {
    NamespaceView.Statistics counted = namespace.statistics(info.ifindex());
    return new KernelView.Link(
        info,
        true,
        true,
        false,
        "noqueue",
        false,
        "",
        new KernelView.Counters(
            counted.rxPackets(),
            counted.rxBytes(),
            0,
            counted.rxDropped(),
            counted.txPackets(),
            counted.txBytes(),
            0,
            counted.txDropped()));
  }

  private static Device of(
      KernelView.Link link, Map<Integer, KernelView.Link> here, List<String> namespaces) {
    LinkInfo info = link.info();
    if (info.peerIfindex() == 0) {
      return new Device(link, "", false, false, "", 0);
    }
    KernelView.Link peer = here.get(info.peerIfindex());
    if (peer != null) {
      return new Device(link, peer.info().name(), false, !peer.up(), "", 0);
    }
    int id = Math.max(0, namespaces.indexOf(info.peerNetns()));
    boolean named = namespaces.contains(info.peerNetns());
    return new Device(
        link,
        "if" + info.peerIfindex(),
        true,
        !info.netns().isEmpty(),
        named ? info.peerNetns() : "",
        id);
  }
}
