package dev.paramecium.datapath;

import dev.paramecium.bpf.Backlog;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.syscall.LinkInfo;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The way to a device for everyone else on the node: its identity, its bounded queue and its
 * counters. Any thread may send.
 */
public final class DevicePort {

  private final LinkInfo link;
  private final Backlog backlog;
  private final DropCounters drops;
  private final DeviceCounters counters = new DeviceCounters();
  private volatile @Nullable ActorRef<NetDevice.Command> actor;

  /**
   * @param backlog how many packets may wait at the device
   */
  public DevicePort(LinkInfo link, int backlog, DropCounters drops) {
    this.link = link;
    this.backlog = new Backlog(backlog);
    this.drops = drops;
  }

  public LinkInfo link() {
    return link;
  }

  public int ifindex() {
    return link.ifindex();
  }

  public DeviceCounters counters() {
    return counters;
  }

  /** The packets that wait at the device, and how many found no room. */
  public Backlog backlog() {
    return backlog;
  }

  /** The device's actor runs. */
  public void open(ActorRef<NetDevice.Command> device) {
    actor = device;
  }

  /** Nothing is sent to the device any more; answers the actor, which is to be told, or null. */
  public @Nullable ActorRef<NetDevice.Command> close() {
    ActorRef<NetDevice.Command> device = actor;
    actor = null;
    return device;
  }

  /** {@code dev_queue_xmit}: frames that leave through the device. Gives them away. */
  public void transmit(PacketBatch packets) {
    ActorRef<NetDevice.Command> device = admit(packets);
    if (device != null) {
      device.tell(new NetDevice.Transmit(packets));
    }
  }

  /** {@code netif_receive_skb}: frames that arrived at the device. Gives them away. */
  public void receive(PacketBatch packets) {
    ActorRef<NetDevice.Command> device = admit(packets);
    if (device != null) {
      device.tell(new NetDevice.Receive(packets));
    }
  }

  /** {@code ndo_xdp_xmit}: frames that leave past the device's tc egress. Gives them away. */
  public void transmitXdp(PacketBatch packets) {
    ActorRef<NetDevice.Command> device = admit(packets);
    if (device != null) {
      device.tell(new NetDevice.XdpTransmit(packets));
    }
  }

  /** Tells the device something that is no packet; nothing if it is gone. */
  public void tell(NetDevice.Command command) {
    ActorRef<NetDevice.Command> device = actor;
    if (device != null) {
      device.tell(command);
    }
  }

  private @Nullable ActorRef<NetDevice.Command> admit(PacketBatch packets) {
    ActorRef<NetDevice.Command> device = actor;
    if (device == null) {
      drops.drop(DatapathDrop.DEVICE_GONE, packets);
      return null;
    }
    if (!backlog.reserve(packets.size())) {
      drops.release(packets);
      return null;
    }
    return device;
  }
}
