package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.map.EndpointMap;

/**
 * {@code ipv4_local_delivery} ({@code bpf/lib/l3.h}): to an endpoint of this node, through the
 * program of its policy.
 *
 * <pre>
 *   TTL − 1, MACs of the veth pair --cb: source identity, ifindex, from host--> cilium_call_policy[lxc_id]
 * </pre>
 */
public final class LocalDelivery {

  private final EndpointMap lxc;
  private final ProgramArray policyCalls;
  private final Metrics metrics;
  private final boolean counts;
  private final TraceRecorder recorder;

  /**
   * @param counts LOCAL_DELIVERY_METRICS: whether the object that delivers counts what it forwards
   */
  public LocalDelivery(ProgramContext context, Metrics metrics, boolean counts) {
    this.lxc = context.maps().lxc();
    this.policyCalls = context.maps().policyCalls();
    this.metrics = metrics;
    this.counts = counts;
    this.recorder = context.recorder();
  }

  /**
   * @param securityIdentity the source's
   * @param endpoint entry of {@code cilium_lxc}
   * @param direction of the metrics
   * @return {@link Verdict#TAIL_CALL} or a negative drop reason
   */
  public int deliver(
      SkBuff packet, int securityIdentity, int endpoint, int direction, boolean fromHost) {
    if (packet.traced) {
      recorder.function(packet, "ipv4_local_delivery");
    }
    int ifindex = lxc.ifindex(endpoint);
    int lxcId = lxc.lxcId(endpoint);
    int error = L3.forward(packet, lxc.nodeMac(endpoint), lxc.mac(endpoint));
    if (error < 0) {
      return error;
    }
    if (counts) {
      metrics.forwarded(packet, direction);
    }
    packet.cb0 = securityIdentity;
    packet.cb1 = ifindex;
    packet.cb3 = fromHost ? 1 : 0;
    return policyCalls.tailCall(packet, lxcId) ? Verdict.TAIL_CALL : -DropReason.MISSED_TAIL_CALL;
  }
}
