package dev.paramecium.datapath.underlay;

/** Sockets that a {@link DatapathLoop} can look at in place of a thread that waits at them. */
interface PolledSockets extends DatagramSockets {

  /** Descriptors that are readable when a datagram is there. */
  int[] receiving();

  /**
   * Gives what is there to {@code sink} and never waits.
   *
   * @param all whether to look at {@link #FRAMES}, too
   * @return whether anything was there
   */
  boolean receiveNow(Sink sink, boolean all);

  /** Closes the sockets; nobody receives any more. */
  void release();
}
