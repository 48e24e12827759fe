package dev.paramecium.container.process.load;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.packet.Wire;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Measures round trips with one datagram in flight. */
final class UdpPing implements Process {

  /** A datagram whose answer takes longer is lost. */
  private static final long LIMIT_MS = 500;

  private final ProcessContext context;
  private final SocketAddress remote;
  private final byte[] payload;
  private final long[] roundTripNanos;
  private final UdpSocket socket;
  private Sockets.@Nullable Timer watchdog;
  private int measured;
  private int lost;
  private int sequence;
  private int sequenceAtLook;
  private long sentAt;

  UdpPing(ProcessContext context, List<String> words, int size, int count) throws SocketException {
    if (size < Integer.BYTES || count < 1) {
      throw new IllegalArgumentException(
          size + " bytes, " + count + " times: use at least 4 bytes, once");
    }
    this.context = context;
    this.remote = new SocketAddress(Ipv4Address.parse(words.get(2)), Load.number(words, 3));
    this.payload = new byte[size];
    this.roundTripNanos = new long[count];
    this.socket = context.sockets().bindUdp(Ipv4Address.ANY, 0, (_, _, answer) -> answered(answer));
    context.executor().execute(this::send);
    look();
  }

  private void send() {
    Wire.setI32(payload, 0, ++sequence);
    sentAt = context.clock().nanos();
    try {
      socket.send(remote, payload);
    } catch (SocketException e) {
      context.printError(e.getMessage() + "\n");
      context.exit(1);
    }
  }

  private void answered(byte[] answer) {
    if (answer.length < Integer.BYTES || Wire.i32(answer, 0) != sequence) {
      return; // came after it was given up
    }
    roundTripNanos[measured++] = context.clock().nanos() - sentAt;
    if (measured == roundTripNanos.length) {
      finish();
    } else {
      send();
    }
  }

  /** One timer for all, so that a round trip sets none. */
  private void look() {
    if (sequence == sequenceAtLook && sequence > 0) {
      lost++;
      send();
    }
    sequenceAtLook = sequence;
    watchdog = context.sockets().schedule(LIMIT_MS, this::look);
  }

  private void finish() {
    if (watchdog != null) {
      watchdog.cancel();
    }
    long[] sorted = Arrays.copyOf(roundTripNanos, measured);
    Arrays.sort(sorted);
    context.print(
        "count="
            + measured
            + " lost="
            + lost
            + " p50="
            + at(sorted, 50)
            + " p99="
            + at(sorted, 99)
            + "\n");
    context.exit(measured == 0 ? 1 : 0);
  }

  private static long at(long[] sorted, int percentile) {
    return sorted.length == 0 ? 0 : sorted[(int) ((sorted.length - 1L) * percentile / 100)];
  }

  @Override
  public void signal(int number) {
    finish();
  }
}
