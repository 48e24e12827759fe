package dev.paramecium.container.process.load;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.UdpSocket;
import java.util.List;

/** Sends datagrams of one size as fast as its node takes them, a burst at a time. */
final class UdpSource implements Process {

  /** Datagrams in a burst, as many as a batch between two devices holds. */
  private static final int BURST = 64;

  private final ProcessContext context;
  private final SocketAddress remote;
  private final byte[] payload;
  private final UdpSocket socket;
  private final long endsAt;
  private long sent;
  private long refused;

  UdpSource(ProcessContext context, List<String> words, int size, int durationMs)
      throws SocketException {
    this.context = context;
    this.remote = new SocketAddress(Ipv4Address.parse(words.get(2)), Load.number(words, 3));
    this.payload = new byte[size];
    this.socket = context.sockets().bindUdp(Ipv4Address.ANY, 0, (_, _, _) -> {});
    this.endsAt = context.clock().nanos() + durationMs * Load.NANOS_PER_MS;
    context.executor().execute(this::burst);
  }

  private void burst() {
    if (context.clock().nanos() >= endsAt) {
      finish();
      return;
    }
    try {
      for (int i = 0; i < BURST; i++) {
        socket.send(remote, payload);
        sent++;
      }
    } catch (SocketException e) {
      if (e.error() != SocketError.NO_BUFFER_SPACE) {
        context.printError(e.getMessage() + "\n");
        context.exit(1);
        return;
      }
      refused++;
    }
    context.executor().execute(this::burst);
  }

  private void finish() {
    context.print("sent=" + sent + " refused=" + refused + "\n");
    context.exit(0);
  }

  @Override
  public void signal(int number) {
    finish();
  }
}
