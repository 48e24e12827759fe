package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.MetricsMap;

/** {@code bpf/lib/metrics.h}: what each step counts. */
public final class Metrics {

  private static final int TO_LXC = TracePoint.TO_LXC.code();
  private static final int FROM_HOST = TracePoint.FROM_HOST.code();
  private static final int FROM_NETWORK = TracePoint.FROM_NETWORK.code();
  private static final int TO_HOST = TracePoint.TO_HOST.code();
  private static final int TO_OVERLAY = TracePoint.TO_OVERLAY.code();
  private static final int TO_NETWORK = TracePoint.TO_NETWORK.code();

  private final MetricsMap metrics;

  Metrics(MetricsMap metrics) {
    this.metrics = metrics;
  }

  public void forwarded(SkBuff packet, int direction) {
    metrics.count(DropReason.SUCCESS, direction, packet.length);
  }

  void count(SkBuff packet, int reason, int direction) {
    metrics.count(reason, direction, packet.length);
  }

  /**
   * {@code update_trace_metrics}. FROM_LXC counts nothing, because local delivery does; what goes
   * to and comes from the proxy is counted by it.
   */
  void traced(SkBuff packet, int point, int reason) {
    if (point == TO_LXC) {
      count(packet, DropReason.SUCCESS, MetricsKey.INGRESS);
    } else if (point >= TO_HOST && point <= TO_OVERLAY || point == TO_NETWORK) {
      count(packet, DropReason.SUCCESS, MetricsKey.EGRESS);
    } else if (point >= FROM_HOST && point <= FROM_NETWORK) {
      boolean encrypted = (reason & TraceReason.ENCRYPTED) != 0;
      count(packet, encrypted ? DropReason.DECRYPTED : DropReason.PLAINTEXT, MetricsKey.INGRESS);
    }
  }
}
