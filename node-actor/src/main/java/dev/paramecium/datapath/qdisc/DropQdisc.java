package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.SkBuff;

/** Every packet ends. */
final class DropQdisc implements Qdisc {

  @Override
  public void take(SkBuff packet, long nowNanos, Exit exit) {
    exit.drop(packet, "partition");
  }

  @Override
  public long release(long nowNanos, Exit exit) {
    return NOTHING_DUE;
  }

  @Override
  public void drain(Exit exit) {}
}
