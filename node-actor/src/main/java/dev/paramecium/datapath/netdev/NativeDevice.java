package dev.paramecium.datapath.netdev;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.datapath.DatapathDrop;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.overlay.VxlanDevice;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.datapath.underlay.Segmentation;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.packet.Arp;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Vxlan;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The node's {@code eth0}: to the underlay and from it. Steps 4 and 5 of the walk.
 *
 * <pre>
 *   cilium_vxlan, node's stack --Transmit--&gt; to-netdev --&gt; Underlay
 *   cilium_vxlan &lt;--UDP 8472--+
 *   node's stack &lt;--the rest--+-- from-netdev &lt;--Receive-- Underlay
 * </pre>
 *
 * The underlay is one flat network on which a node's MAC follows from its address, so eth0 answers
 * its own stack's ARP requests as the node asked for would.
 */
public final class NativeDevice extends NetDevice {

  /** cilium_vxlan was created. */
  public record OpenTunnel(DevicePort vxlan) implements Command {}

  private final Ipv4Address nodeIp;
  private final NamespacePort host;
  private final Underlay underlay;
  private final Arp.View arp = new Arp.View();
  private @Nullable DevicePort vxlan;

  private NativeDevice(
      ActorContext<Command> context,
      DevicePort port,
      Ipv4Address nodeIp,
      NamespacePort host,
      Underlay underlay,
      NodeDatapath node) {
    super(context, port, node);
    this.nodeIp = nodeIp;
    this.host = host;
    this.underlay = underlay;
  }

  /** A device on the underlay; the kernel starts the underlay with the device's port. */
  public static Behavior<Command> create(
      DevicePort port,
      Ipv4Address nodeIp,
      NamespacePort host,
      Underlay underlay,
      NodeDatapath node) {
    return Behaviors.setup(
        context -> new NativeDevice(context, port, nodeIp, host, underlay, node));
  }

  @Override
  protected void handle(Command command) {
    if (command instanceof OpenTunnel(DevicePort device)) {
      vxlan = device;
    } else {
      super.handle(command);
    }
  }

  @Override
  protected void driverTransmit(PacketBatch packets) {
    PacketBatch wire = node.pool().takeBatch();
    PacketBatch answers = node.pool().takeBatch();
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      if (OuterHeaders.isNode(packet.mac(Ethernet.DESTINATION))) {
        if (wire.isFull()) {
          underlay.send(wire);
          wire = node.pool().takeBatch();
        }
        if (packet.gsoSize > 0) {
          wire = segment(packet, wire);
        } else {
          wire.add(packet);
        }
      } else if (answersArp(packet)) {
        answers.add(packet);
      } else {
        node.drops().drop(DatapathDrop.UNDERLAY_NO_ROUTE, packet);
      }
    }
    packets.clear();
    node.pool().release(packets);
    if (wire.isEmpty()) {
      node.pool().release(wire);
    } else {
      underlay.send(wire);
    }
    if (answers.isEmpty()) {
      node.pool().release(answers);
    } else {
      port.receive(answers);
    }
  }

  /**
   * Adds the packets that a large one stands for to a batch, sending it whenever it is full.
   *
   * @return the batch that is not sent yet
   */
  private PacketBatch segment(SkBuff large, PacketBatch batch) {
    PacketBatch wire = batch;
    int count = Segmentation.count(large);
    if (wire.size() + count > PacketBatch.CAPACITY && !wire.isEmpty()) {
      // What belongs together leaves together, so that one datagram of the socket's can hold it.
      underlay.send(wire);
      wire = node.pool().takeBatch();
    }
    for (int i = 0; i < count; i++) {
      SkBuff packet = Segmentation.packet(large, i, node.pool());
      if (packet == null) {
        node.drops().count(DatapathDrop.NO_BUFFER, count - i);
        break;
      }
      if (wire.isFull()) {
        underlay.send(wire);
        wire = node.pool().takeBatch();
      }
      wire.add(packet);
    }
    node.pool().release(large);
    return wire;
  }

  /** Turns a request of this node's into the answer of the node that it asks for. */
  private boolean answersArp(SkBuff packet) {
    int at = Ethernet.HEADER_LENGTH;
    if (packet.u16(Ethernet.ETHER_TYPE) != EtherType.ARP
        || !arp.wrap(packet.bytes, packet.head + at, packet.length - at)
        || arp.operation() != Arp.REQUEST
        || arp.targetIp() == nodeIp.value()) {
      return false;
    }
    long mac = OuterHeaders.macOf(arp.targetIp());
    arp.turnIntoReply(mac);
    packet.setMac(Ethernet.DESTINATION, packet.mac(Ethernet.SOURCE));
    packet.setMac(Ethernet.SOURCE, mac);
    return true;
  }

  @Override
  protected void stackReceive(PacketBatch packets) {
    PacketBatch tunnel = node.pool().takeBatch();
    PacketBatch stack = node.pool().takeBatch();
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      if (!isForTunnel(packet)) {
        stack.add(packet);
      } else if (vxlan == null) {
        node.drops().drop(DatapathDrop.VXLAN_NO_DEVICE, packet);
      } else if (VxlanDevice.decapsulate(packet)) {
        tunnel.add(packet);
      } else {
        node.drops().drop(DatapathDrop.VXLAN_MALFORMED, packet);
      }
    }
    packets.clear();
    node.pool().release(packets);
    if (tunnel.isEmpty() || vxlan == null) {
      node.pool().release(tunnel);
    } else {
      vxlan.receive(tunnel);
    }
    if (stack.isEmpty()) {
      node.pool().release(stack);
    } else {
      host.receive(port.ifindex(), stack);
    }
  }

  private boolean isForTunnel(SkBuff packet) {
    return OuterHeaders.isUdpTo(packet, Vxlan.LINUX_PORT)
        && packet.i32(Ethernet.HEADER_LENGTH + Ipv4.DESTINATION) == nodeIp.value();
  }

  @Override
  protected void traceTransmit(PacketTrace trace, PacketBatch packets) {
    trace.markNew(packets);
  }

  @Override
  protected void traceReceive(PacketTrace trace, PacketBatch packets) {
    trace.mark(packets);
  }
}
