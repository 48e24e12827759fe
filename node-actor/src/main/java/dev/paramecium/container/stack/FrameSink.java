package dev.paramecium.container.stack;

import dev.paramecium.bpf.SkBuff;

/** Where a stack sends its frames. */
@FunctionalInterface
public interface FrameSink {

  /**
   * Takes a frame, Ethernet header first, that leaves through the interface {@code ifindex}. The
   * sink owns it from now on. It may collect the frames of one event into a batch, but must not
   * call the stack back. Frames on {@code lo} never come here.
   */
  void transmit(int ifindex, SkBuff frame);
}
