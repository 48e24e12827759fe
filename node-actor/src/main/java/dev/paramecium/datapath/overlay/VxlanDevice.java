package dev.paramecium.datapath.overlay;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.datapath.DatapathDrop;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.FlowHash;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Vxlan;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * {@code cilium_vxlan}: a VXLAN device that collects metadata: the tunnel key beside a packet, not
 * the device, says where to and with which VNI. Steps 3 and 6 of the walk.
 *
 * <pre>
 *   redirect --Transmit--&gt; to-overlay --&gt; push VXLAN, UDP, IPv4, Ethernet --Transmit--&gt; eth0
 *   node's stack &lt;--OK-- from-overlay &lt;--Receive-- pull outer headers, set tunnel key &lt;-- eth0
 * </pre>
 */
public final class VxlanDevice extends NetDevice {

  private final Ipv4Address nodeIp;
  private final DevicePort eth0;
  private final NamespacePort host;
  private final Underlay underlay;
  private int identification;

  private VxlanDevice(
      ActorContext<Command> context,
      DevicePort port,
      Ipv4Address nodeIp,
      DevicePort eth0,
      NamespacePort host,
      Underlay underlay,
      NodeDatapath node) {
    super(context, port, node);
    this.nodeIp = nodeIp;
    this.eth0 = eth0;
    this.host = host;
    this.underlay = underlay;
  }

  /**
   * @param eth0 what the route to every other node leads through
   * @param underlay says which source port a flow has
   */
  public static Behavior<Command> create(
      DevicePort port,
      Ipv4Address nodeIp,
      DevicePort eth0,
      NamespacePort host,
      Underlay underlay,
      NodeDatapath node) {
    return Behaviors.setup(
        context -> new VxlanDevice(context, port, nodeIp, eth0, host, underlay, node));
  }

  @Override
  protected void driverTransmit(PacketBatch packets) {
    PacketBatch encapsulated = node.pool().takeBatch();
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      if (packet.hasTunnelKey) {
        encapsulate(packet);
        encapsulated.add(packet);
      } else {
        node.drops().drop(DatapathDrop.VXLAN_NO_TUNNEL_KEY, packet);
      }
    }
    packets.clear();
    node.pool().release(packets);
    if (encapsulated.isEmpty()) {
      node.pool().release(encapsulated);
    } else {
      eth0.transmit(encapsulated);
    }
  }

  private void encapsulate(SkBuff packet) {
    if (packet.hash == 0) {
      packet.hash = FlowHash.of(packet.bytes, packet.head, packet.length);
    }
    int remote = packet.tunnelRemote;
    int ttl = packet.tunnelTtl == 0 ? Ipv4.DEFAULT_TTL : packet.tunnelTtl;
    packet.push(Vxlan.HEADER_LENGTH);
    Vxlan.write(packet.bytes, packet.head, packet.tunnelId);
    packet.clearTunnelKey();
    OuterHeaders.push(
        packet,
        nodeIp.value(),
        remote,
        ttl,
        identification++ & 0xffff,
        underlay.sourcePort(packet.hash),
        Vxlan.LINUX_PORT);
  }

  /**
   * Takes the outer headers off a frame that {@link OuterHeaders#isUdpTo} the VXLAN port and sets
   * the tunnel key; false, and the frame as it was, if what is in it is no VXLAN packet with a
   * frame. Reserved bits do not count (RFC 7348, section 5).
   */
  public static boolean decapsulate(SkBuff frame) {
    int vxlan = OuterHeaders.LENGTH;
    int said = OuterHeaders.payloadLength(frame);
    if (said < Vxlan.HEADER_LENGTH + Ethernet.HEADER_LENGTH
        || vxlan + said > frame.length
        || (frame.u8(vxlan + Vxlan.FLAGS) & Vxlan.FLAG_VNI) == 0) {
      return false;
    }
    int vni = frame.i32(vxlan + Vxlan.VNI) >>> 8;
    int remote = frame.i32(Ethernet.HEADER_LENGTH + Ipv4.SOURCE);
    int ttl = frame.u8(Ethernet.HEADER_LENGTH + Ipv4.TTL);
    frame.trim(vxlan + said);
    frame.pull(vxlan + Vxlan.HEADER_LENGTH);
    frame.hasTunnelKey = true;
    frame.tunnelId = vni;
    frame.tunnelRemote = remote;
    frame.tunnelTtl = ttl;
    frame.hash = 0;
    return true;
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
