package dev.paramecium.container.stack;

import dev.paramecium.bpf.SkBuff;
import java.util.ArrayDeque;

/** One neighbour on one interface: its MAC, and how sure the stack is of it. */
final class Neighbour {

  /** The kernel's NUD states ({@code include/uapi/linux/neighbour.h}). */
  enum State {
    INCOMPLETE,
    REACHABLE,
    STALE,
    DELAY,
    PROBE,
    FAILED,
    PERMANENT,
    NOARP
  }

  final int address;
  final NetDevice device;
  final Timers.Timer timer;

  /** Datagrams that wait for the MAC, Ethernet header not yet written. */
  final ArrayDeque<SkBuff> waiting = new ArrayDeque<>(0);

  State state = State.FAILED;
  long mac;
  boolean macKnown;

  /** When the peer last proved to be there. */
  long confirmedAt;

  long usedAt;
  long updatedAt;

  /** How long a confirmation counts: 15 to 45 s, drawn once. */
  long reachableTime;

  int probes;

  /** The entry was taken out of the table. */
  boolean dead;

  /** The source address of the next request. */
  int probeSource;

  Neighbour(int address, NetDevice device, Neighbours owner) {
    this.address = address;
    this.device = device;
    this.timer = new Timers.Timer(() -> owner.timeout(this));
  }

  boolean isConnected() {
    return state == State.REACHABLE || state == State.PERMANENT || state == State.NOARP;
  }
}
