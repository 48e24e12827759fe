package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.NamespaceView.Route;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayDeque;

/**
 * One stack, and a peer that a test plays segment by segment, as packetdrill does.
 *
 * <pre>
 *   stack 10.0.0.2 --eth0-- the test, as 10.0.0.1
 * </pre>
 */
final class ScriptedPeer implements Clock {

  static final Ipv4Address PEER = Ipv4Address.parse("10.0.0.1");
  static final Ipv4Address STACK = Ipv4Address.parse("10.0.0.2");
  static final int FIN = TcpSegment.FIN;
  static final int SYN = TcpSegment.SYN;
  static final int RST = TcpSegment.RST;
  static final int ACK = TcpSegment.ACK;

  private static final long PEER_MAC = 0x0200_0000_0001L;
  private static final long STACK_MAC = 0x0200_0000_0002L;

  final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4096);
  final NetworkStack stack;
  private final ArrayDeque<Sent> sent = new ArrayDeque<>();
  private long now = 5_000_000_000_000L;

  /** The peer's port, and the stack's. */
  int peerPort = 40_000;

  int stackPort = 80;

  /** Timestamps that the peer sends, if {@link #timestamps} is set. */
  boolean timestamps;

  int timestamp = 1000;
  int lastEcho;
  int window = 65_535;

  /** A segment that the stack sent. */
  record Sent(long at, TcpSegment segment, byte[] data) {
    int seq() {
      return segment.seq;
    }

    int ack() {
      return segment.ack;
    }

    int flags() {
      return segment.flags & ~TcpSegment.PSH;
    }
  }

  ScriptedPeer() {
    stack =
        new NetworkStack(
            "test",
            this,
            RandomSource.seeded(42),
            pool,
            (_, frame) -> {
              byte[] bytes = frame.toByteArray();
              pool.release(frame);
              if (bytes[14 + 9] == IpProtocol.TCP) {
                Datagram datagram = new Datagram();
                assertThat(datagram.parse(bytes, 14, bytes.length - 14))
                    .isEqualTo(Datagram.Fault.NONE);
                TcpSegment segment = new TcpSegment();
                assertThat(segment.parse(datagram)).isTrue();
                byte[] data = new byte[segment.dataLength];
                System.arraycopy(segment.bytes, segment.dataAt, data, 0, data.length);
                sent.add(new Sent(now, segment, data));
              }
            });
    stack.addInterface(
        new LinkInfo(2, "eth0", LinkInfo.Kind.VETH, new MacAddress(STACK_MAC), 1500, 0, "test", ""),
        false);
    stack.addAddress(2, STACK, 32);
    stack.addRoute(new Route(new Ipv4Prefix(PEER, 32), null, "eth0", null, "link", "boot"), 0);
    stack.addNeighbour(2, PEER, new MacAddress(PEER_MAC));
  }

  @Override
  public long nanos() {
    return now;
  }

  @Override
  public long epochMs() {
    return now / 1_000_000;
  }

  /** Lets milliseconds pass, with what the stack does in them. */
  void pass(long ms) {
    long end = now + ms * 1_000_000;
    while (stack.nextDeadlineNanos() <= end) {
      now = Math.max(now, stack.nextDeadlineNanos());
      stack.runTimers();
    }
    now = end;
  }

  /** The next segment that the stack sent. */
  Sent next() {
    Sent first = sent.poll();
    assertThat(first).as("a segment of the stack").isNotNull();
    lastEcho = first.segment.timestamp;
    return first;
  }

  /** The next segment, which must have these flags (PSH aside). */
  Sent expect(int flags) {
    Sent first = next();
    assertThat(first.flags()).as("flags").isEqualTo(flags);
    return first;
  }

  void expectNothing() {
    assertThat(sent).as("segments that the stack sent").isEmpty();
  }

  void forget() {
    sent.clear();
  }

  int pending() {
    return sent.size();
  }

  /** A segment with options and data from the peer. */
  void send(int flags, int seq, int ack, byte[] options, byte[] data) {
    byte[] all = options;
    if (timestamps) {
      all = new byte[options.length + 12];
      System.arraycopy(options, 0, all, 12, options.length);
      Wire.setI32(all, 0, 0x0101080a);
      Wire.setI32(all, 4, timestamp);
      Wire.setI32(all, 8, lastEcho);
    }
    int header = 20 + all.length;
    int total = 20 + header + data.length;
    byte[] frame = new byte[14 + total];
    Wire.setU16(frame, 0, (int) (STACK_MAC >>> 32));
    Wire.setI32(frame, 2, (int) STACK_MAC);
    Wire.setU16(frame, 6, (int) (PEER_MAC >>> 32));
    Wire.setI32(frame, 8, (int) PEER_MAC);
    Wire.setU16(frame, 12, 0x0800);
    Wire.setU16(frame, 14, 0x4500);
    Wire.setU16(frame, 16, total);
    Wire.setU16(frame, 20, 0x4000);
    Wire.setU16(frame, 22, 64 << 8 | IpProtocol.TCP);
    Wire.setI32(frame, 26, PEER.value());
    Wire.setI32(frame, 30, STACK.value());
    Wire.setU16(frame, 24, Checksum.finish(Checksum.sum(frame, 14, 20)));
    Wire.setU16(frame, 34, peerPort);
    Wire.setU16(frame, 36, stackPort);
    Wire.setI32(frame, 38, seq);
    Wire.setI32(frame, 42, ack);
    Wire.setU16(frame, 46, header / 4 << 12 | flags);
    Wire.setU16(frame, 48, window);
    System.arraycopy(all, 0, frame, 54, all.length);
    System.arraycopy(data, 0, frame, 54 + all.length, data.length);
    long pseudo =
        Checksum.pseudoHeader(PEER.value(), STACK.value(), IpProtocol.TCP, header + data.length);
    long sum = Checksum.sum(frame, 34, header + data.length);
    Wire.setU16(frame, 50, Checksum.finish(sum + pseudo));
    receive(frame);
  }

  void receive(byte[] bytes) {
    SkBuff frame = pool.take();
    if (frame == null) {
      throw new AssertionError("the pool is empty");
    }
    frame.setBytes(bytes, 0, bytes.length);
    stack.receive(2, frame);
    pass(0);
  }

  void send(int flags, int seq, int ack) {
    send(flags, seq, ack, new byte[0], new byte[0]);
  }

  void send(int flags, int seq, int ack, int length) {
    send(flags, seq, ack, new byte[0], new byte[length]);
  }

  static byte[] mss(int mss) {
    return new byte[] {2, 4, (byte) (mss >>> 8), (byte) mss};
  }

  /** MSS and SACK permitted. */
  static byte[] mssAndSack(int mss) {
    return new byte[] {2, 4, (byte) (mss >>> 8), (byte) mss, 1, 1, 4, 2};
  }

  static byte[] sack(int... edges) {
    byte[] option = new byte[4 + 4 * edges.length];
    option[0] = 1;
    option[1] = 1;
    option[2] = 5;
    option[3] = (byte) (2 + 4 * edges.length);
    for (int i = 0; i < edges.length; i++) {
      Wire.setI32(option, 4 + 4 * i, edges[i]);
    }
    return option;
  }

  long counter(String name) {
    Long value = stack.counters().get(name);
    if (value == null) {
      throw new AssertionError("no counter " + name);
    }
    return value;
  }
}
