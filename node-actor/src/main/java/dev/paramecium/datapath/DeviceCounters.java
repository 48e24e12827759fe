package dev.paramecium.datapath;

/**
 * A device's counters, {@code struct rtnl_link_stats64}. Only the device's actor counts; any thread
 * reads, and may see a packet before its bytes.
 */
public final class DeviceCounters {

  private volatile long rxPackets;
  private volatile long rxBytes;
  private volatile long rxDropped;
  private volatile long txPackets;
  private volatile long txBytes;
  private volatile long txDropped;

  // One writer: a plain read-modify-write loses nothing.
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void received(int packets, long bytes) {
    rxPackets += packets;
    rxBytes += bytes;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  void transmitted(int packets, long bytes) {
    txPackets += packets;
    txBytes += bytes;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  void receiveDropped() {
    rxDropped++;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  void transmitDropped() {
    txDropped++;
  }

  public long rxPackets() {
    return rxPackets;
  }

  public long rxBytes() {
    return rxBytes;
  }

  public long rxDropped() {
    return rxDropped;
  }

  public long txPackets() {
    return txPackets;
  }

  public long txBytes() {
    return txBytes;
  }

  public long txDropped() {
    return txDropped;
  }
}
