package dev.paramecium.datapath;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.inspect.EventQueue;
import dev.paramecium.inspect.KernelView;
import java.util.Arrays;

/**
 * An AF_PACKET socket: copies of a device's frames for whoever looks. Sees what arrives before tc
 * ingress and what leaves after tc egress, as in Linux.
 *
 * @param snapLength how many bytes of a frame are copied at most
 */
public record PacketTap(int snapLength, Clock clock, EventQueue<KernelView.Frame> frames) {

  void offer(int ifindex, boolean outgoing, SkBuff packet) {
    int count = Math.min(snapLength, packet.length);
    byte[] copy = Arrays.copyOfRange(packet.bytes, packet.head, packet.head + count);
    frames.offer(new KernelView.Frame(clock.nanos(), ifindex, outgoing, copy, packet.length));
  }
}
