package dev.paramecium.datapath.container;

import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.Hook;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.trace.Step;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * {@code eth0} in a pod: the end of the veth pair inside the pod's namespace. Steps 1 and 8 of the
 * walk.
 *
 * <pre>
 *   pod's stack --Transmit--&gt; PodInterface --Receive--&gt; lxc…
 *   pod's stack &lt;-- frames -- PodInterface &lt;--Receive-- lxc…
 * </pre>
 */
public final class PodInterface extends NetDevice {

  private final DevicePort lxc;
  private final NamespacePort pod;

  private PodInterface(
      ActorContext<Command> context,
      DevicePort port,
      DevicePort lxc,
      NamespacePort pod,
      NodeDatapath node) {
    super(context, port, node);
    this.lxc = lxc;
    this.pod = pod;
  }

  /**
   * @param lxc the other end, on the node
   * @param pod the namespace that the device lives in
   */
  public static Behavior<Command> create(
      DevicePort port, DevicePort lxc, NamespacePort pod, NodeDatapath node) {
    return Behaviors.setup(context -> new PodInterface(context, port, lxc, pod, node));
  }

  @Override
  protected void driverTransmit(PacketBatch packets) {
    scrub(packets);
    lxc.receive(packets);
  }

  @Override
  protected void stackReceive(PacketBatch packets) {
    pod.receive(port.ifindex(), packets);
  }

  @Override
  protected void traceTransmit(PacketTrace trace, PacketBatch packets) {
    trace.mark(packets);
    observe(trace, packets, Hook.CONTAINER_SEND, "sent");
  }

  @Override
  protected void traceReceive(PacketTrace trace, PacketBatch packets) {
    observe(trace, packets, Hook.CONTAINER_RECEIVE, "delivered");
  }

  private void observe(PacketTrace trace, PacketBatch packets, Hook hook, String verdict) {
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      if (packet.traced) {
        trace.observe(trace.look(packet), Step.of(hook, port, verdict));
      }
    }
  }
}
