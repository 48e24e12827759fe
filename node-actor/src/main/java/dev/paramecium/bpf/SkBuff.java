package dev.paramecium.bpf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A packet and what the kernel keeps beside it ({@code struct __sk_buff}).
 *
 * <pre>
 *   bytes   |<---- headroom ---->|<------ length ------>|<-- tailroom -->|
 *           0                    head                   head+length      bytes.length
 * </pre>
 *
 * An SkBuff has exactly one owner. Sending it in a message gives it away: the sender never touches
 * it again. Whoever ends its life returns it with {@link SkBuffPool#release}. Offsets in accessors
 * count from {@code head}, the Ethernet header; multi-byte fields are in network order on the wire
 * and plain numbers here. Fields are public, as {@code __sk_buff}'s are: this is a record that
 * programs write, not an abstraction.
 */
public final class SkBuff {

  /** Room in front of a fresh packet: outer Ethernet, IPv4, UDP and VXLAN headers take 50. */
  public static final int HEADROOM = 128;

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  public final byte[] bytes;

  /** Index in {@link #bytes} of the first byte of the packet. */
  public int head;

  /** Bytes in the packet. */
  public int length;

  /** The device that the packet is on. */
  public int ifindex;

  /** The device that the packet came in on. */
  public int ingressIfindex;

  public int mark;
  public int cb0;
  public int cb1;
  public int cb2;
  public int cb3;
  public int cb4;
  public int tcIndex;

  /** What XDP tells tc: the first word of {@code data_meta}; 0 if nothing. */
  public int xfer;

  /** Whether the frame had an 802.1Q tag, which its device took off. */
  public boolean vlanPresent;

  /** That tag: priority and VLAN number. */
  public int vlanTci;

  /** The flow hash, 0 if not computed. */
  public int hash;

  /**
   * Whether a tunnel key is set: by the VXLAN device on what it received, by a program on what it
   * wants sent.
   */
  public boolean hasTunnelKey;

  /** The tunnel key's VXLAN network identifier, 24 bits. */
  public int tunnelId;

  /** The tunnel key's remote IPv4 address: where to send to, or who sent. */
  public int tunnelRemote;

  /** The tunnel key's outer TTL. */
  public int tunnelTtl;

  /**
   * {@code gso_size}: TCP payload bytes of each of the packets that this one stands for, 0 if it is
   * one packet. It crosses the node whole, larger than any MTU, and is cut where it leaves.
   */
  public int gsoSize;

  /** CHECKSUM_UNNECESSARY: the transport checksum was found right where the packet came in. */
  public boolean checksumVerified;

  /**
   * {@code bpf_skb_change_type(PACKET_HOST)}: the stack takes it, whatever MAC address it is sent
   * to.
   */
  public boolean forHost;

  /** Where {@link Verdict#REDIRECT} goes. */
  public int redirectIfindex;

  /** 0 to the device's egress, 1 (BPF_F_INGRESS) to its ingress. */
  public int redirectFlags;

  /** Whether a trace follows this packet; one bit beside it, never a change to it. */
  public boolean traced;

  /** The program that a tail call goes to, between its call and its run. */
  @Nullable Program tailCallTarget;

  /** How many tail calls the current run has made. */
  int tailCalls;

  final SkBuffPool pool;
  final int slot;
  private final AtomicBoolean free = new AtomicBoolean(true);

  SkBuff(SkBuffPool pool, int slot, int capacity) {
    this.pool = pool;
    this.slot = slot;
    this.bytes = new byte[capacity];
  }

  void markTaken() {
    free.setPlain(false);
  }

  /** Whether this was the first release. */
  boolean markFree() {
    return !free.getAndSet(true);
  }

  /** An empty packet with full headroom and cleared metadata. */
  public void reset() {
    head = HEADROOM;
    length = 0;
    ifindex = 0;
    ingressIfindex = 0;
    mark = 0;
    clearCb();
    tcIndex = 0;
    xfer = 0;
    forHost = false;
    vlanPresent = false;
    vlanTci = 0;
    hash = 0;
    clearTunnelKey();
    gsoSize = 0;
    checksumVerified = false;
    redirectIfindex = 0;
    redirectFlags = 0;
    traced = false;
    tailCallTarget = null;
    tailCalls = 0;
  }

  /** {@code bpf_clear_cb}. */
  public void clearCb() {
    cb0 = 0;
    cb1 = 0;
    cb2 = 0;
    cb3 = 0;
    cb4 = 0;
  }

  public void clearTunnelKey() {
    hasTunnelKey = false;
    tunnelId = 0;
    tunnelRemote = 0;
    tunnelTtl = 0;
  }

  /** Replaces the packet's bytes; metadata stays. */
  public void setBytes(byte[] source, int from, int count) {
    if (count > bytes.length - HEADROOM) {
      throw new IllegalArgumentException(
          "a packet of "
              + count
              + " bytes does not fit into a buffer of "
              + (bytes.length - HEADROOM));
    }
    head = HEADROOM;
    length = count;
    System.arraycopy(source, from, bytes, head, count);
  }

  /** Makes room for an outer header of {@code count} bytes. */
  public void push(int count) {
    if (count > head) {
      throw new IllegalStateException(
          "push of " + count + " bytes with " + head + " bytes of headroom");
    }
    head -= count;
    length += count;
  }

  /** Takes the first {@code count} bytes off. */
  public void pull(int count) {
    if (count > length) {
      throw new IllegalStateException("pull of " + count + " bytes from a packet of " + length);
    }
    head += count;
    length -= count;
  }

  /** Cuts the packet to {@code count} bytes. */
  public void trim(int count) {
    if (count > length) {
      throw new IllegalStateException("trim to " + count + " bytes of a packet of " + length);
    }
    length = count;
  }

  /** A copy of the packet's bytes. */
  public byte[] toByteArray() {
    byte[] copy = new byte[length];
    System.arraycopy(bytes, head, copy, 0, length);
    return copy;
  }

  public int u8(int offset) {
    return bytes[head + offset] & 0xff;
  }

  public int u16(int offset) {
    return (short) U16.get(bytes, head + offset) & 0xffff;
  }

  public int i32(int offset) {
    return (int) U32.get(bytes, head + offset);
  }

  public long i64(int offset) {
    return (long) U64.get(bytes, head + offset);
  }

  /** A six-byte Ethernet address as a number. */
  public long mac(int offset) {
    return (long) u16(offset) << 32 | (i32(offset + 2) & 0xffff_ffffL);
  }

  public void setU8(int offset, int value) {
    bytes[head + offset] = (byte) value;
  }

  public void setU16(int offset, int value) {
    U16.set(bytes, head + offset, (short) value);
  }

  public void setI32(int offset, int value) {
    U32.set(bytes, head + offset, value);
  }

  public void setI64(int offset, long value) {
    U64.set(bytes, head + offset, value);
  }

  public void setMac(int offset, long value) {
    setU16(offset, (int) (value >>> 32));
    setI32(offset + 2, (int) value);
  }
}
