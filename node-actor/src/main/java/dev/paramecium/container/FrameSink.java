package dev.paramecium.container;

import dev.paramecium.bpf.SkBuff;

/**
 * Where an interface of a namespace sends its frames. Called on the namespace's actor, so it must
 * only pass them on, typically with {@code tell}.
 */
@FunctionalInterface
public interface FrameSink {

  /**
   * Sends a batch of 1 to {@link NetworkNamespace#BATCH} frames, each with its Ethernet header, and
   * gives them away, array included.
   */
  void transmit(SkBuff[] frames);
}
