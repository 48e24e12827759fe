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
 * {@code lo}, of a node's own namespace or a pod's: what is sent on it arrives on it ({@code
 * loopback_xmit}).
 *
 * <pre>
 *   stack --Transmit--&gt; LoopbackDevice --Receive--&gt; LoopbackDevice --&gt; the same stack
 * </pre>
 */
public final class LoopbackDevice extends NetDevice {

  private final NamespacePort namespace;

  private LoopbackDevice(
      ActorContext<Command> context, DevicePort port, NamespacePort namespace, NodeDatapath node) {
    super(context, port, node);
    this.namespace = namespace;
  }

  /**
   * @param namespace whose device it is
   */
  public static Behavior<Command> create(
      DevicePort port, NamespacePort namespace, NodeDatapath node) {
    return Behaviors.setup(context -> new LoopbackDevice(context, port, namespace, node));
  }

  @Override
  protected void driverTransmit(PacketBatch packets) {
    port.receive(packets);
  }

  @Override
  protected void stackReceive(PacketBatch packets) {
    namespace.receive(port.ifindex(), packets);
  }

  @Override
  protected void traceTransmit(PacketTrace trace, PacketBatch packets) {
    trace.markNew(packets);
  }
}
