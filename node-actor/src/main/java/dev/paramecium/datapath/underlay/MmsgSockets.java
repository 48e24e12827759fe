package dev.paramecium.datapath.underlay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.paramecium.bpf.SkBuff;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * UDP by sendmmsg(2) and recvmmsg(2) with segmentation offload (udp(7): UDP_SEGMENT, UDP_GRO): a
 * run of datagrams of one size, to one destination from one port, crosses the kernel as one.
 *
 * <pre>
 *   send: copy behind the last one | same socket, destination, size? one more segment : new message
 *   flush: one sendmmsg for each run of messages of one socket
 *   receive: recvmmsg, cut each message into segments of the size that its control message tells
 * </pre>
 */
final class MmsgSockets implements PolledSockets {

  private static final ValueLayout.OfInt INT_BE = JAVA_INT.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfShort SHORT_BE = JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN);

  private static final int SOCKET_BUFFER = 4 << 20;

  // struct sockaddr_in, iovec, msghdr in mmsghdr, cmsghdr; 64-bit Linux.
  private static final int SOCKADDR = 16;
  private static final int IOVEC = 16;
  private static final int MMSGHDR = 64;
  private static final int NAME = 0;
  private static final int NAME_LENGTH = 8;
  private static final int IOV = 16;
  private static final int IOV_LENGTH = 24;
  private static final int CONTROL = 32;
  private static final int CONTROL_LENGTH = 40;
  private static final int MESSAGE_LENGTH = 56;
  private static final int CONTROL_SPACE = 24;
  private static final int CMSG_LEVEL = 8;
  private static final int CMSG_TYPE = 12;
  private static final int CMSG_DATA = 16;

  /** {@code UDP_MAX_SEGMENTS} of the kernels that have the fewest. */
  private static final int MAX_SEGMENTS = 64;

  private static final int MAX_MESSAGE = 65_000;
  private static final int OUT_MESSAGES = 64;
  private static final int OUT_BYTES = 1 << 18;
  private static final int IN_MESSAGES = 16;
  private static final int IN_BYTES = 65_536;

  private final Arena arena = Arena.ofAuto();
  private final int[] fds = new int[FLOW + FLOWS];
  private final int[] flowPorts = new int[FLOWS];
  private final int wakeFd;
  private volatile boolean closed;
  private boolean descriptorsClosed;

  // Sender's.
  private final MemorySegment sendCapture = Libc.capture(arena);
  private final MemorySegment outBytes = arena.allocate(OUT_BYTES, 8);
  private final MemorySegment outHeaders = arena.allocate(OUT_MESSAGES * MMSGHDR, 8);
  private final MemorySegment outNames = arena.allocate(OUT_MESSAGES * SOCKADDR, 8);
  private final MemorySegment outVectors = arena.allocate(OUT_MESSAGES * IOVEC, 8);
  private final MemorySegment outControls = arena.allocate(OUT_MESSAGES * CONTROL_SPACE, 8);
  private final int[] outSocket = new int[OUT_MESSAGES];
  private final int[] outAddress = new int[OUT_MESSAGES];
  private final int[] outPort = new int[OUT_MESSAGES];
  private final int[] outAt = new int[OUT_MESSAGES];
  private final int[] outLength = new int[OUT_MESSAGES];
  private final int[] outSegment = new int[OUT_MESSAGES];
  private final int[] outSegments = new int[OUT_MESSAGES];
  private int messages;
  private int used;
  private boolean lastIsFull;
  private boolean segmentation = true;
  private int failed;

  // Receiver's.
  private final MemorySegment receiveCapture = Libc.capture(arena);
  private final MemorySegment inBytes = arena.allocate((long) IN_MESSAGES * IN_BYTES, 8);
  private final MemorySegment inHeaders = arena.allocate(IN_MESSAGES * MMSGHDR, 8);
  private final MemorySegment inNames = arena.allocate(IN_MESSAGES * SOCKADDR, 8);
  private final MemorySegment inVectors = arena.allocate(IN_MESSAGES * IOVEC, 8);
  private final MemorySegment inControls = arena.allocate(IN_MESSAGES * CONTROL_SPACE, 8);
  private final MemorySegment pollFds = arena.allocate(3 * 8, 4);

  /**
   * @throws UnderlayException if a port is taken or the address is not this machine's
   */
  MmsgSockets(InetSocketAddress listen) {
    Arrays.fill(fds, -1);
    wakeFd = Libc.eventfd(sendCapture);
    try {
      for (int i = 0; i < fds.length; i++) {
        int port = i == VXLAN ? listen.getPort() : i == FRAMES ? listen.getPort() + 1 : 0;
        fds[i] = open(listen, port, i < FLOW);
        if (i >= FLOW) {
          flowPorts[i - FLOW] = localPort(fds[i]);
        }
      }
    } catch (UnderlayException e) {
      closeAll();
      throw e;
    }
    prepareReceiving();
  }

  /** Whether this system has what the class needs. */
  static boolean isSupported() {
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    if (!os.equals("linux")
        || ValueLayout.ADDRESS.byteSize() != 8
        || ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      return false;
    }
    try (Arena probe = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(probe);
      int fd = Libc.socket(capture, Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC);
      if (fd < 0) {
        return false;
      }
      MemorySegment one = probe.allocateFrom(JAVA_INT, 1);
      MemorySegment zero = probe.allocateFrom(JAVA_INT, 0);
      boolean hasBoth =
          Libc.setsockopt(capture, fd, Libc.SOL_UDP, Libc.UDP_GRO, one) == 0
              && Libc.setsockopt(capture, fd, Libc.SOL_UDP, Libc.UDP_SEGMENT, zero) == 0;
      Libc.close(capture, fd);
      return hasBoth;
    } catch (LinkageError | RuntimeException _) {
      return false; // native access is denied, or a libc without these calls
    }
  }

  private int open(InetSocketAddress listen, int port, boolean receives) {
    int fd = Libc.socket(sendCapture, Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC);
    InetSocketAddress local = new InetSocketAddress(listen.getAddress(), port);
    if (fd < 0) {
      throw refused(local);
    }
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment size = scratch.allocateFrom(JAVA_INT, SOCKET_BUFFER);
      Libc.setsockopt(sendCapture, fd, Libc.SOL_SOCKET, Libc.SO_SNDBUF, size);
      if (receives) {
        Libc.setsockopt(sendCapture, fd, Libc.SOL_SOCKET, Libc.SO_RCVBUF, size);
        MemorySegment one = scratch.allocateFrom(JAVA_INT, 1);
        Libc.setsockopt(sendCapture, fd, Libc.SOL_UDP, Libc.UDP_GRO, one);
      }
      MemorySegment name = scratch.allocate(SOCKADDR, 8);
      writeName(name, 0, SocketAddresses.value(listen.getAddress()), port);
      if (Libc.bind(sendCapture, fd, name) != 0) {
        UnderlayException refused = refused(local);
        Libc.close(sendCapture, fd);
        throw refused;
      }
    }
    return fd;
  }

  private UnderlayException refused(InetSocketAddress local) {
    return Underlays.cannotBind(
        "UDP", local, new IOException(Libc.strerror(Libc.errno(sendCapture))));
  }

  private int localPort(int fd) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment name = scratch.allocate(SOCKADDR, 8);
      MemorySegment size = scratch.allocateFrom(JAVA_INT, SOCKADDR);
      Libc.getsockname(sendCapture, fd, name, size);
      return name.get(SHORT_BE, 2) & 0xffff;
    }
  }

  private static void writeName(MemorySegment names, long at, int address, int port) {
    names.set(JAVA_SHORT, at, (short) Libc.AF_INET);
    names.set(SHORT_BE, at + 2, (short) port);
    names.set(INT_BE, at + 4, address);
  }

  private void prepareReceiving() {
    for (int i = 0; i < IN_MESSAGES; i++) {
      inVectors.set(JAVA_LONG, (long) i * IOVEC, inBytes.address() + (long) i * IN_BYTES);
      inVectors.set(JAVA_LONG, (long) i * IOVEC + 8, IN_BYTES);
      long header = (long) i * MMSGHDR;
      inHeaders.set(JAVA_LONG, header + NAME, inNames.address() + (long) i * SOCKADDR);
      inHeaders.set(JAVA_LONG, header + IOV, inVectors.address() + (long) i * IOVEC);
      inHeaders.set(JAVA_LONG, header + IOV_LENGTH, 1);
      inHeaders.set(JAVA_LONG, header + CONTROL, inControls.address() + (long) i * CONTROL_SPACE);
    }
    int[] polled = {fds[VXLAN], fds[FRAMES], wakeFd};
    for (int i = 0; i < polled.length; i++) {
      pollFds.set(JAVA_INT, i * 8L, polled[i]);
      pollFds.set(JAVA_SHORT, i * 8L + 4, Libc.POLLIN);
    }
  }

  @Override
  public String kind() {
    return "udp-gso";
  }

  @Override
  public int[] flowPorts() {
    return flowPorts.clone();
  }

  @Override
  public void send(int socket, int address, int port, byte[] bytes, int at, int length) {
    if (used + length > OUT_BYTES || length > MAX_MESSAGE) {
      transmit();
    }
    MemorySegment.copy(bytes, at, outBytes, JAVA_BYTE, used, length);
    int last = messages - 1;
    if (last >= 0
        && segmentation
        && !lastIsFull
        && outSocket[last] == socket
        && outAddress[last] == address
        && outPort[last] == port
        && length <= outSegment[last]
        && outSegments[last] < MAX_SEGMENTS
        && outLength[last] + length <= MAX_MESSAGE) {
      outLength[last] += length;
      outSegments[last]++;
      lastIsFull = length < outSegment[last]; // only the last segment may be shorter
    } else {
      if (messages == OUT_MESSAGES) {
        // The bytes stand behind those that go now: they move to the front.
        transmit();
        MemorySegment.copy(bytes, at, outBytes, JAVA_BYTE, 0, length);
      }
      outSocket[messages] = socket;
      outAddress[messages] = address;
      outPort[messages] = port;
      outAt[messages] = used;
      outLength[messages] = length;
      outSegment[messages] = length;
      outSegments[messages] = 1;
      lastIsFull = length == 0;
      messages++;
    }
    used += length;
  }

  @Override
  public int flush() {
    transmit();
    int count = failed;
    failed = 0;
    return count;
  }

  /** Excludes {@link #closeAll}: a descriptor that was closed may be another file's by now. */
  private synchronized void transmit() {
    if (descriptorsClosed) {
      for (int i = 0; i < messages; i++) {
        failed += outSegments[i];
      }
      messages = 0;
      used = 0;
      return;
    }
    for (int i = 0; i < messages; i++) {
      writeHeader(i, outAt[i], outLength[i], outSegments[i] > 1 ? outSegment[i] : 0);
    }
    int from = 0;
    while (from < messages) {
      int to = from + 1;
      while (to < messages && outSocket[to] == outSocket[from]) {
        to++;
      }
      transmit(fds[outSocket[from]], from, to);
      from = to;
    }
    messages = 0;
    used = 0;
  }

  private void transmit(int fd, int from, int to) {
    int next = from;
    while (next < to) {
      int sent =
          Libc.sendmmsg(
              sendCapture,
              fd,
              outHeaders.asSlice((long) next * MMSGHDR),
              to - next,
              Libc.MSG_DONTWAIT);
      if (sent > 0) {
        next += sent;
        continue;
      }
      int errno = Libc.errno(sendCapture);
      if (errno == Libc.EINTR) {
        continue;
      }
      if (outSegments[next] > 1 && (errno == Libc.EINVAL || errno == Libc.EIO)) {
        segmentation &= errno != Libc.EIO; // EIO: this route's device cannot segment at all
        transmitSegments(fd, next);
      } else {
        failed += outSegments[next]; // buffer full, no route, firewall: UDP promises nothing
      }
      next++;
    }
  }

  /** Sends a message's datagrams one by one: its size does not suit the route's MTU. */
  private void transmitSegments(int fd, int message) {
    int end = outAt[message] + outLength[message];
    for (int at = outAt[message]; at < end; at += outSegment[message]) {
      writeHeader(message, at, Math.min(outSegment[message], end - at), 0);
      int sent =
          Libc.sendmmsg(
              sendCapture, fd, outHeaders.asSlice((long) message * MMSGHDR), 1, Libc.MSG_DONTWAIT);
      if (sent != 1) {
        failed++;
      }
    }
  }

  private void writeHeader(int message, int at, int length, int segment) {
    long name = (long) message * SOCKADDR;
    writeName(outNames, name, outAddress[message], outPort[message]);
    long vector = (long) message * IOVEC;
    outVectors.set(JAVA_LONG, vector, outBytes.address() + at);
    outVectors.set(JAVA_LONG, vector + 8, length);
    long header = (long) message * MMSGHDR;
    outHeaders.set(JAVA_LONG, header + NAME, outNames.address() + name);
    outHeaders.set(JAVA_INT, header + NAME_LENGTH, SOCKADDR);
    outHeaders.set(JAVA_LONG, header + IOV, outVectors.address() + vector);
    outHeaders.set(JAVA_LONG, header + IOV_LENGTH, 1);
    long control = (long) message * CONTROL_SPACE;
    if (segment == 0) {
      outHeaders.set(JAVA_LONG, header + CONTROL, 0);
      outHeaders.set(JAVA_LONG, header + CONTROL_LENGTH, 0);
    } else {
      outControls.set(JAVA_LONG, control, CMSG_DATA + Short.BYTES);
      outControls.set(JAVA_INT, control + CMSG_LEVEL, Libc.SOL_UDP);
      outControls.set(JAVA_INT, control + CMSG_TYPE, Libc.UDP_SEGMENT);
      outControls.set(JAVA_SHORT, control + CMSG_DATA, (short) segment);
      outHeaders.set(JAVA_LONG, header + CONTROL, outControls.address() + control);
      outHeaders.set(JAVA_LONG, header + CONTROL_LENGTH, CONTROL_SPACE);
    }
  }

  @Override
  public boolean receive(Sink sink) {
    if (closed) {
      closeAll();
      return false;
    }
    if (!receiveNow(sink, true)) {
      sink.flush();
      Libc.poll(receiveCapture, pollFds, 3, -1);
    }
    return true;
  }

  @Override
  public int[] receiving() {
    return new int[] {fds[VXLAN], fds[FRAMES]};
  }

  @Override
  public boolean receiveNow(Sink sink, boolean all) {
    int count = receive(VXLAN, sink);
    if (all) {
      count += receive(FRAMES, sink);
    }
    return count > 0;
  }

  @Override
  public void release() {
    closed = true;
    closeAll();
  }

  private int receive(int socket, Sink sink) {
    for (int i = 0; i < IN_MESSAGES; i++) {
      long header = (long) i * MMSGHDR;
      inHeaders.set(JAVA_INT, header + NAME_LENGTH, SOCKADDR);
      inHeaders.set(JAVA_LONG, header + CONTROL_LENGTH, CONTROL_SPACE);
    }
    int count =
        Libc.recvmmsg(receiveCapture, fds[socket], inHeaders, IN_MESSAGES, Libc.MSG_DONTWAIT);
    for (int i = 0; i < count; i++) {
      deliver(socket, i, sink);
    }
    return Math.max(count, 0); // -1: nothing there, or an ICMP error about something sent
  }

  private void deliver(int socket, int message, Sink sink) {
    long header = (long) message * MMSGHDR;
    int length = inHeaders.get(JAVA_INT, header + MESSAGE_LENGTH);
    int segment = segmentSize(header, message);
    if (segment <= 0 || segment > length) {
      segment = Math.max(length, 1);
    }
    int address = inNames.get(INT_BE, (long) message * SOCKADDR + 4);
    int port = inNames.get(SHORT_BE, (long) message * SOCKADDR + 2) & 0xffff;
    long base = (long) message * IN_BYTES;
    sink.burst((length + segment - 1) / segment);
    int at = 0;
    do {
      int size = Math.min(segment, length - at);
      @Nullable SkBuff packet = sink.room(size);
      if (packet != null) {
        MemorySegment.copy(inBytes, JAVA_BYTE, base + at, packet.bytes, packet.head, size);
        sink.arrived(packet, socket, address, port);
      }
      at += segment;
    } while (at < length);
  }

  /** What UDP_GRO says the datagrams of a message measure, or 0. */
  private int segmentSize(long header, int message) {
    long control = (long) message * CONTROL_SPACE;
    return inHeaders.get(JAVA_LONG, header + CONTROL_LENGTH) >= CMSG_DATA + Integer.BYTES
            && inControls.get(JAVA_INT, control + CMSG_LEVEL) == Libc.SOL_UDP
            && inControls.get(JAVA_INT, control + CMSG_TYPE) == Libc.UDP_GRO
        ? inControls.get(JAVA_INT, control + CMSG_DATA)
        : 0;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try (Arena scratch = Arena.ofConfined()) {
        Libc.eventfdWrite(Libc.capture(scratch), wakeFd);
      }
    }
  }

  /** The memory goes with the last reference: a late sender must not find it gone. */
  private synchronized void closeAll() {
    if (descriptorsClosed) {
      return;
    }
    descriptorsClosed = true;
    for (int fd : fds) {
      if (fd >= 0) {
        Libc.close(receiveCapture, fd);
      }
    }
    Libc.close(receiveCapture, wakeFd);
  }
}
