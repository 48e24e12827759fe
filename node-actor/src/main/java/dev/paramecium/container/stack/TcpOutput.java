package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.TcpOptions;
import dev.paramecium.packet.Wire;
import org.jspecify.annotations.Nullable;

/**
 * Segments on their way out (RFC 9293, 3.1): written into a frame behind room for the headers
 * below.
 *
 * <pre>
 *   frame.head
 *   | Ethernet | IPv4 | TCP | options | data |
 *    neighbours  Ipv4   ^ at
 * </pre>
 */
final class TcpOutput {

  /** Two no-operations and the option, as every stack lays it out. */
  static final int TIMESTAMPS_LENGTH = 12;

  /**
   * The most that a segment carries which the device cuts later: with the headers of all pieces,
   * the tunnel's included, it fits one datagram of a socket with segmentation offload.
   */
  static final int LARGEST_PAYLOAD = 60_000;

  private static final int NO_OPERATIONS =
      TcpOptions.NO_OPERATION << 24 | TcpOptions.NO_OPERATION << 16;
  private static final int TIMESTAMPS = TcpOptions.TIMESTAMPS << 8 | 10;
  private static final int MAX_BLOCKS = 4;

  private final Context context;
  private final Routes routes;
  private final Ipv4 ipv4;

  /** Scratch for SACK blocks, one more than fit for the duplicate that moves the others. */
  private final int[] blockLeft = new int[MAX_BLOCKS + 1];

  private final int[] blockRight = new int[MAX_BLOCKS + 1];

  TcpOutput(Context context, Routes routes, Ipv4 ipv4) {
    this.context = context;
    this.routes = routes;
    this.ipv4 = ipv4;
  }

  /** Sends a segment of a connection with what it must acknowledge; false if no buffer was free. */
  boolean segment(TcpSocket socket, int seq, int size, int flags) {
    int mss = socket.sender.segmentSize();
    SkBuff frame = size > mss ? context.takeLarge() : context.take();
    if (frame == null) {
      return false;
    }
    frame.gsoSize = size > mss ? mss : 0;
    byte[] bytes = frame.bytes;
    int at = segmentAt(frame);
    int options = at + Headers.TCP;
    if (socket.timestamps) {
      timestamps(bytes, options, socket.timestampNow(), socket.receiver.recentTimestamp);
      options += TIMESTAMPS_LENGTH;
    }
    if (socket.sack && socket.receiver.hasBlocks()) {
      options = blocks(socket, bytes, options, mss - size);
    }
    int window = socket.receiver.offerWindow();
    if (size > 0) {
      socket.sender.copy(seq, bytes, options, size);
    }
    finish(socket, frame, seq, options - at, flags, window, size);
    return true;
  }

  private int blocks(TcpSocket socket, byte[] bytes, int at, int room) {
    int most = Math.min(socket.timestamps ? MAX_BLOCKS - 1 : MAX_BLOCKS, (room - 4) / 8);
    int count = most <= 0 ? 0 : socket.receiver.blocks(blockLeft, blockRight, most);
    if (count == 0) {
      return at;
    }
    Wire.setI32(bytes, at, NO_OPERATIONS | TcpOptions.SACK << 8 | 2 + 8 * count);
    for (int i = 0; i < count; i++) {
      Wire.setI32(bytes, at + 4 + 8 * i, blockLeft[i]);
      Wire.setI32(bytes, at + 8 + 8 * i, blockRight[i]);
    }
    return at + 4 + 8 * count;
  }

  /** Sends SYN, or SYN with ACK, with the options in Linux's order. */
  void syn(TcpSocket socket) {
    SkBuff frame = context.take();
    if (frame == null) {
      return;
    }
    boolean ack = socket.state() == TcpState.SYN_RECEIVED;
    byte[] bytes = frame.bytes;
    int at = segmentAt(frame);
    int option = at + Headers.TCP;
    Wire.setI32(bytes, option, TcpOptions.MSS << 24 | 4 << 16 | socket.offeredMss());
    option += 4;
    if (socket.timestamps) {
      timestamps(bytes, option, socket.timestampNow(), ack ? socket.receiver.recentTimestamp : 0);
      if (socket.sack) {
        Wire.setU16(bytes, option, TcpOptions.SACK_PERMITTED << 8 | 2);
      }
      option += TIMESTAMPS_LENGTH;
    } else if (socket.sack) {
      Wire.setI32(bytes, option, NO_OPERATIONS | TcpOptions.SACK_PERMITTED << 8 | 2);
      option += 4;
    }
    if (socket.isScaled()) {
      int scale = TcpOptions.WINDOW_SCALE << 16 | 3 << 8 | TcpReceiver.WINDOW_SHIFT;
      Wire.setI32(bytes, option, TcpOptions.NO_OPERATION << 24 | scale);
      option += 4;
    }
    int window = ack ? socket.receiver.offerInitialWindow() : TcpReceiver.INITIAL_LIMIT;
    int flags = ack ? TcpSegment.SYN | TcpSegment.ACK : TcpSegment.SYN;
    finish(socket, frame, socket.sender.initialSeq(), option - at, flags, window, 0);
  }

  /** Sends RST with the sequence number that the peer expects (RFC 9293, 3.10.5). */
  void reset(TcpSocket socket) {
    SkBuff frame = context.take();
    if (frame != null) {
      context.count(Counter.TCP_OUT_RESETS);
      int flags = TcpSegment.RST | TcpSegment.ACK;
      finish(socket, frame, socket.sender.next(), Headers.TCP, flags, 0, 0);
    }
  }

  private void finish(
      TcpSocket socket, SkBuff frame, int seq, int header, int flags, int window, int size) {
    int ack = (flags & TcpSegment.ACK) != 0 ? socket.receiver.next() : 0;
    write(socket, frame, seq, ack, header, flags, window, size);
    int packets = frame.gsoSize == 0 ? 1 : (size + frame.gsoSize - 1) / frame.gsoSize;
    transmit(
        socket.path(),
        socket.localAddress,
        socket.takeIdentifications(packets),
        socket.mark,
        frame);
  }

  /** Sends RST for a segment that no connection takes (RFC 9293, 3.10.7.1). */
  void resetFor(TcpSegment s) {
    SkBuff frame = s.has(TcpSegment.RST) ? null : context.take();
    if (frame == null) {
      return;
    }
    boolean ack = s.has(TcpSegment.ACK);
    int at = segmentAt(frame);
    byte[] bytes = frame.bytes;
    context.count(Counter.TCP_OUT_RESETS);
    header(
        bytes,
        at,
        s.destinationPort,
        s.sourcePort,
        ack ? s.ack : 0,
        ack ? 0 : s.end(),
        Headers.TCP,
        ack ? TcpSegment.RST : TcpSegment.RST | TcpSegment.ACK,
        0);
    checksum(frame, at, s.destination, s.source, Headers.TCP);
    transmit(routes.lookup(s.source), s.destination, 0, 0, frame);
  }

  /** Says again what a connection in TIME-WAIT had received. */
  void timeWaitAck(TimeWait old) {
    SkBuff frame = context.take();
    if (frame == null) {
      return;
    }
    int header = Headers.TCP;
    if (old.timestamps) {
      int now = (int) (context.now / Context.MILLISECOND) + old.timestampOffset;
      timestamps(frame.bytes, segmentAt(frame) + header, now, old.recentTimestamp);
      header += TIMESTAMPS_LENGTH;
    }
    write(old, frame, old.sendNext, old.receiveNext, header, TcpSegment.ACK, 0, 0);
    transmit(routes.lookup(old.remoteAddress), old.localAddress, 0, old.mark, frame);
  }

  private static int segmentAt(SkBuff frame) {
    return frame.head + Headers.ETHERNET + Headers.IPV4;
  }

  private static void timestamps(byte[] bytes, int at, int value, int echo) {
    Wire.setI32(bytes, at, NO_OPERATIONS | TIMESTAMPS);
    Wire.setI32(bytes, at + 4, value);
    Wire.setI32(bytes, at + 8, echo);
  }

  private static void write(
      Connection connection,
      SkBuff frame,
      int seq,
      int ack,
      int header,
      int flags,
      int window,
      int size) {
    int at = segmentAt(frame);
    header(
        frame.bytes,
        at,
        connection.localPort,
        connection.remotePort,
        seq,
        ack,
        header,
        flags,
        window);
    checksum(frame, at, connection.localAddress, connection.remoteAddress, header + size);
  }

  private static void header(
      byte[] bytes,
      int at,
      int localPort,
      int remotePort,
      int seq,
      int ack,
      int header,
      int flags,
      int window) {
    Wire.setI32(bytes, at, localPort << 16 | remotePort);
    Wire.setI32(bytes, at + 4, seq);
    Wire.setI32(bytes, at + 8, ack);
    Wire.setU16(bytes, at + 12, header / 4 << 12 | flags);
    Wire.setU16(bytes, at + 14, window);
    Wire.setI32(bytes, at + 16, 0);
  }

  private static void checksum(SkBuff frame, int at, int local, int remote, int length) {
    long pseudo = Checksum.pseudoHeader(local, remote, IpProtocol.TCP, length);
    int checksum = Checksum.finish(Checksum.sum(frame.bytes, at, length) + pseudo);
    Wire.setU16(frame.bytes, at + 16, checksum);
    frame.length = Headers.ETHERNET + Headers.IPV4 + length;
  }

  private void transmit(
      @Nullable Destination path, int source, int identification, int mark, SkBuff frame) {
    if (path == null) {
      context.count(Counter.IP_OUT_NO_ROUTES);
      context.release(frame);
      return;
    }
    context.count(Counter.TCP_OUT);
    ipv4.transmit(
        path,
        source,
        IpProtocol.TCP,
        Ipv4.DEFAULT_TTL,
        identification,
        Headers.DONT_FRAGMENT,
        mark,
        frame);
  }
}
