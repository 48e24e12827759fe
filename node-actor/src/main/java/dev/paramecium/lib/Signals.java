package dev.paramecium.lib;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;

/**
 * What programs ask the agent for through {@code cilium_signals} ({@code bpf/lib/signal.h}): that
 * it takes away old entries now, because there was no room for a new one. A message is two 32-bit
 * words, the signal's number and the protocol, which is always IPv4 here.
 */
final class Signals {

  private static final byte[] NAT_FILL_UP = {0, 0, 0, 0, 0, 0, 0, 0};
  private static final byte[] CT_FILL_UP = {1, 0, 0, 0, 0, 0, 0, 0};

  private final PerfEventArray signals;
  private final Clock clock;

  Signals(ProgramContext context) {
    this.signals = context.maps().signals();
    this.clock = context.clock();
  }

  /** SIGNAL_NAT_FILL_UP: a port was hard to find. */
  void natFillUp() {
    send(NAT_FILL_UP);
  }

  /** SIGNAL_CT_FILL_UP: an entry could not be made. */
  void ctFillUp() {
    send(CT_FILL_UP);
  }

  private void send(byte[] message) {
    signals.output(PerfEventArray.CURRENT_CPU, clock.nanos(), message);
  }
}
