package dev.paramecium.datapath.trace;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.container.stack.RoutingObserver;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.DeviceTable;

/** Tells what the node's own stack does with traced packets that a program let pass. */
public final class StackTracer implements RoutingObserver {

  private static final int BESIDE_THE_WALK = 0;

  private final PacketTrace trace;
  private final DeviceTable devices;

  public StackTracer(PacketTrace trace, DeviceTable devices) {
    this.trace = trace;
    this.devices = devices;
  }

  @Override
  public void decided(SkBuff frame, String verdict, String reason) {
    DevicePort port = devices.get(frame.ifindex);
    if (port != null) {
      trace.observe(trace.look(frame), Step.of(BESIDE_THE_WALK, "stack", port, verdict, reason));
    }
  }
}
