package dev.paramecium.container.stack;

import dev.paramecium.bpf.SkBuff;

/** Hears what a stack decides about packets that are traced; on the stack's own thread. */
@FunctionalInterface
public interface RoutingObserver {

  /**
   * A decision, before the packet changes.
   *
   * @param frame from its Ethernet header; lent until the call returns
   * @param verdict such as {@code forwarded to cilium_host}, {@code dropped}
   * @param reason why it is dropped and what its sender is told; empty if it is not
   */
  void decided(SkBuff frame, String verdict, String reason);
}
