package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.FragmentMap;

/**
 * {@code ipv4_handle_fragmentation}: a first fragment leaves its ports behind for those that follow
 * it.
 */
public final class Fragments {

  private static final int EFAULT = 14;

  private final FragmentMap fragments;
  private final Metrics metrics;

  Fragments(FragmentMap fragments, Metrics metrics) {
    this.fragments = fragments;
    this.metrics = metrics;
  }

  /**
   * Puts the ports of a TCP or UDP packet into the tuple, exchanged as a tuple wants them before
   * its lookup.
   *
   * @param direction of the metrics: {@link MetricsKey}
   * @return 0; -EFAULT if the packet ends before its ports; the drop reason of a fragment whose
   *     first was not seen
   */
  int loadPorts(SkBuff packet, int l4Offset, int direction, Ipv4CtTuple tuple, PerCpu cpu) {
    boolean fragment = Ipv4Header.isFragment(packet);
    if (fragment) {
      metrics.count(packet, DropReason.FRAGMENTED, direction);
      if (!Ipv4Header.hasL4Header(packet)) {
        int entry = find(packet);
        if (entry < 0) {
          return -DropReason.FRAG_NOT_FOUND;
        }
        put(fragments.ports(entry), tuple);
        return 0;
      }
    }
    if (!Ipv4Header.has(packet, l4Offset, Integer.BYTES)) {
      return -EFAULT;
    }
    int ports = packet.i32(l4Offset);
    put(ports, tuple);
    if (fragment) {
      remember(packet, ports, direction, cpu);
    }
    return 0;
  }

  private int find(SkBuff packet) {
    return fragments.find(
        Ipv4Header.saddr(packet),
        Ipv4Header.daddr(packet),
        Ipv4Header.identification(packet),
        Ipv4Header.protocol(packet));
  }

  private void remember(SkBuff packet, int ports, int direction, PerCpu cpu) {
    byte[] value = cpu.value;
    value[0] = (byte) (ports >>> 24);
    value[1] = (byte) (ports >>> 16);
    value[2] = (byte) (ports >>> 8);
    value[3] = (byte) ports;
    int result =
        fragments.update(
            Ipv4Header.saddr(packet),
            Ipv4Header.daddr(packet),
            Ipv4Header.identification(packet),
            Ipv4Header.protocol(packet),
            value);
    if (result != 0) {
      metrics.count(packet, DropReason.FRAGMENTED_UPDATE_FAILED, direction);
    }
  }

  private static void put(int ports, Ipv4CtTuple tuple) {
    tuple.dport = ports >>> 16;
    tuple.sport = ports & 0xffff;
  }
}
