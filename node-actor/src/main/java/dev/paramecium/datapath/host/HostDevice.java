package dev.paramecium.datapath.host;

import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.trace.PacketTrace;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * {@code cilium_host} and {@code cilium_net}: a veth pair whose two ends are both in the node's
 * namespace. What the node sends to pods leaves through cilium_host (from-host); what programs hand
 * to the node is redirected to cilium_net and arrives at cilium_host (to-host).
 *
 * <pre>
 *   node's stack --Transmit--&gt; cilium_host --Receive--&gt; cilium_net --to-host--&gt; node's stack
 *   node's stack &lt;--to-host--- cilium_host &lt;--Receive-- cilium_net &lt;--Transmit-- redirects
 * </pre>
 */
public final class HostDevice extends NetDevice {

  private final DevicePort peer;
  private final NamespacePort host;

  private HostDevice(
      ActorContext<Command> context,
      DevicePort port,
      DevicePort peer,
      NamespacePort host,
      NodeDatapath node) {
    super(context, port, node);
    this.peer = peer;
    this.host = host;
  }

  /**
   * @param peer the pair's other end
   * @param host the node's own namespace
   */
  public static Behavior<Command> create(
      DevicePort port, DevicePort peer, NamespacePort host, NodeDatapath node) {
    return Behaviors.setup(context -> new HostDevice(context, port, peer, host, node));
  }

  @Override
  protected void driverTransmit(PacketBatch packets) {
    peer.receive(packets);
  }

  @Override
  protected void stackReceive(PacketBatch packets) {
    host.receive(port.ifindex(), packets);
  }

  @Override
  protected void traceTransmit(PacketTrace trace, PacketBatch packets) {
    trace.markNew(packets);
  }
}
