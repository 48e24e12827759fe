package dev.paramecium.datapath.underlay;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * The system calls that the UDP underlay needs beyond java.nio, on 64-bit Linux. Each answers what
 * the call answers; after -1, {@link #errno} of the same capture segment says why.
 */
final class Libc {

  static final int AF_INET = 2;
  static final int SOCK_DGRAM = 2;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int SOL_SOCKET = 1;
  static final int SO_SNDBUF = 7;
  static final int SO_RCVBUF = 8;
  static final int SOL_UDP = 17;
  static final int UDP_SEGMENT = 103;
  static final int UDP_GRO = 104;
  static final int MSG_DONTWAIT = 0x40;
  static final int EFD_CLOEXEC = 0x80000;
  static final short POLLIN = 1;

  static final int EINTR = 4;
  static final int EIO = 5;
  static final int EAGAIN = 11;
  static final int EINVAL = 22;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURE.varHandle(java.lang.foreign.MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle SOCKET = bind("socket", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle BIND = bind("bind", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle GETSOCKNAME = bind("getsockname", JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle SETSOCKOPT =
      bind("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SENDMMSG =
      bind("sendmmsg", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle RECVMMSG =
      bind("recvmmsg", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle POLL = bind("poll", ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle EVENTFD = bind("eventfd", JAVA_INT, JAVA_INT);
  private static final MethodHandle EVENTFD_WRITE = bind("eventfd_write", JAVA_INT, JAVA_LONG);
  private static final MethodHandle EVENTFD_READ = bind("eventfd_read", JAVA_INT, ADDRESS);
  private static final MethodHandle CLOSE = bind("close", JAVA_INT);
  private static final MethodHandle STRERROR =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

  private Libc() {}

  private static MethodHandle bind(String name, ValueLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(JAVA_INT, arguments),
        Linker.Option.captureCallState("errno"));
  }

  /** Where a thread's calls leave errno. */
  static MemorySegment capture(Arena arena) {
    return arena.allocate(CAPTURE);
  }

  static int errno(MemorySegment capture) {
    return (int) ERRNO.get(capture, 0L);
  }

  static int socket(MemorySegment capture, int domain, int type) {
    try {
      return (int) SOCKET.invokeExact(capture, domain, type, 0);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int bind(MemorySegment capture, int fd, MemorySegment address) {
    try {
      return (int) BIND.invokeExact(capture, fd, address, (int) address.byteSize());
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int getsockname(MemorySegment capture, int fd, MemorySegment address, MemorySegment size) {
    try {
      return (int) GETSOCKNAME.invokeExact(capture, fd, address, size);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int setsockopt(MemorySegment capture, int fd, int level, int name, MemorySegment value) {
    try {
      return (int) SETSOCKOPT.invokeExact(capture, fd, level, name, value, (int) value.byteSize());
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int sendmmsg(MemorySegment capture, int fd, MemorySegment messages, int count, int flags) {
    try {
      return (int) SENDMMSG.invokeExact(capture, fd, messages, count, flags);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int recvmmsg(MemorySegment capture, int fd, MemorySegment messages, int count, int flags) {
    try {
      return (int) RECVMMSG.invokeExact(capture, fd, messages, count, flags, MemorySegment.NULL);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int poll(MemorySegment capture, MemorySegment fds, long count, int timeoutMs) {
    try {
      return (int) POLL.invokeExact(capture, fds, count, timeoutMs);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int eventfd(MemorySegment capture) {
    try {
      return (int) EVENTFD.invokeExact(capture, 0, EFD_CLOEXEC);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int eventfdWrite(MemorySegment capture, int fd) {
    try {
      return (int) EVENTFD_WRITE.invokeExact(capture, fd, 1L);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /**
   * Takes what was written.
   *
   * @param value eight bytes for the sum of it
   */
  static int eventfdRead(MemorySegment capture, int fd, MemorySegment value) {
    try {
      return (int) EVENTFD_READ.invokeExact(capture, fd, value);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static int close(MemorySegment capture, int fd) {
    try {
      return (int) CLOSE.invokeExact(capture, fd);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  static String strerror(int errno) {
    try {
      MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
      return text.reinterpret(256).getString(0, StandardCharsets.UTF_8);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** A downcall itself throws only if its handle is used wrongly. */
  private static IllegalStateException failed(Throwable cause) {
    return new IllegalStateException("a system call could not be made", cause);
  }
}
