package dev.paramecium.lib;

import dev.paramecium.bpf.SkBuff;

/**
 * What a program tells about a packet whose {@link SkBuff#traced} bit is set; never called for
 * others. Called by the thread that runs the program, in the order in which things happen.
 */
public interface TraceRecorder {

  /**
   * A program that stands in a program array was entered by a tail call from another object: what
   * follows belongs to it.
   */
  void program(SkBuff packet, ProgramSection section);

  /** A function of Cilium's datapath was entered. */
  void function(SkBuff packet, String function);

  /**
   * A map was asked.
   *
   * @param key what was looked for, or the prefix or entry that was found, in the words of {@code
   *     cilium bpf … list}
   * @param value empty if nothing was found
   */
  void lookup(SkBuff packet, String map, String key, String value);

  /** What decided, in words: a policy entry, a service's backend, a conntrack state. */
  void decision(SkBuff packet, String rule);

  /** The packet is dropped for a {@link dev.paramecium.abi.DropReason}. */
  void drop(SkBuff packet, int reason);

  /** Hears nothing. */
  TraceRecorder NONE =
      new TraceRecorder() {
        @Override
        public void program(SkBuff packet, ProgramSection section) {}

        @Override
        public void function(SkBuff packet, String function) {}

        @Override
        public void lookup(SkBuff packet, String map, String key, String value) {}

        @Override
        public void decision(SkBuff packet, String rule) {}

        @Override
        public void drop(SkBuff packet, int reason) {}
      };
}
