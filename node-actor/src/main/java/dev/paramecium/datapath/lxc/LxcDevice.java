package dev.paramecium.datapath.lxc;

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
 * {@code lxc…}, {@code lxc_health}: the end of a pod's veth pair on the node. from-container runs
 * on its tc ingress; nothing runs on its egress.
 *
 * <pre>
 *   pod eth0 --Receive--&gt; LxcDevice --from-container: OK--&gt; the node's stack
 *   pod eth0 &lt;--Receive-- LxcDevice &lt;--Transmit------------ a redirect of handle_policy, or the node's stack
 * </pre>
 */
public final class LxcDevice extends NetDevice {

  private final DevicePort pod;
  private final NamespacePort host;

  private LxcDevice(
      ActorContext<Command> context,
      DevicePort port,
      DevicePort pod,
      NamespacePort host,
      NodeDatapath node) {
    super(context, port, node);
    this.pod = pod;
    this.host = host;
  }

  /**
   * @param pod the other end, in the pod
   * @param host the node's own namespace
   */
  public static Behavior<Command> create(
      DevicePort port, DevicePort pod, NamespacePort host, NodeDatapath node) {
    return Behaviors.setup(context -> new LxcDevice(context, port, pod, host, node));
  }

  @Override
  protected void driverTransmit(PacketBatch packets) {
    scrub(packets);
    pod.receive(packets);
  }

  @Override
  protected void stackReceive(PacketBatch packets) {
    host.receive(port.ifindex(), packets);
  }

  @Override
  protected void traceTransmit(PacketTrace trace, PacketBatch packets) {
    // What comes out of a program carries the bit already; what the node's stack sends does not.
    trace.markNew(packets);
  }
}
