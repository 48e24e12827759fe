package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.NamespaceView.Route;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayDeque;

/**
 * Sends bytes from one stack to another on one thread, frames in batches of 64 as actors exchange
 * them, and prints what a segment costs both stacks together.
 *
 * <p>Arguments: MiB for each run (1024), runs (3).
 */
public final class StackThroughput {

  private static final int BATCH = 64;

  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 1 << 16);
  private final ArrayDeque<SkBuff> toA = new ArrayDeque<>();
  private final ArrayDeque<SkBuff> toB = new ArrayDeque<>();
  private final SkBuff[] batch = new SkBuff[BATCH];
  private long received;
  private boolean done;

  private StackThroughput() {}

  public static void main(String[] arguments) throws SocketException {
    long mib = arguments.length > 0 ? Long.parseLong(arguments[0]) : 1024;
    int runs = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
    for (int run = 0; run < runs; run++) {
      new StackThroughput().run(mib << 20);
    }
  }

  private NetworkStack host(String address, String peer, ArrayDeque<SkBuff> out) {
    Ipv4Address ip = Ipv4Address.parse(address);
    NetworkStack stack =
        new NetworkStack(
            address, Clock.system(), RandomSource.seeded(1), pool, (_, frame) -> out.add(frame));
    MacAddress mac = MacAddress.locallyAdministered(ip.value());
    stack.addInterface(
        new LinkInfo(2, "eth0", LinkInfo.Kind.VETH, mac, 1450, 0, address, ""), false);
    stack.addAddress(2, ip, 32);
    Ipv4Prefix other = new Ipv4Prefix(Ipv4Address.parse(peer), 32);
    stack.addRoute(new Route(other, null, "eth0", null, "link", "boot"), 0);
    return stack;
  }

  private void run(long total) throws SocketException {
    NetworkStack a = host("10.0.0.1", "10.0.0.2", toB);
    NetworkStack b = host("10.0.0.2", "10.0.0.1", toA);
    b.listen(Ipv4Address.ANY, 5001, 8, _ -> new Sink());
    a.connect(new SocketAddress(Ipv4Address.parse("10.0.0.2"), 5001), new Source(total));
    long start = System.nanoTime();
    while (!done) {
      pump(b, toB);
      pump(a, toA);
      timers(a);
      timers(b);
    }
    long elapsed = System.nanoTime() - start;
    Long out = a.counters().get("TcpOutSegs");
    Long acks = b.counters().get("TcpOutSegs");
    Long again = a.counters().get("TcpRetransSegs");
    System.out.printf(
        "%d MiB in %.2f s: %.0f MB/s, %d segments, %d acknowledgements, %d retransmitted,"
            + " %.0f ns a segment%n",
        total >> 20,
        elapsed / 1e9,
        received * 1e3 / elapsed,
        out,
        acks,
        again,
        (double) elapsed / out);
    a.close();
    b.close();
  }

  private void pump(NetworkStack to, ArrayDeque<SkBuff> queue) {
    int count = 0;
    while (count < BATCH && !queue.isEmpty()) {
      batch[count++] = queue.remove();
    }
    if (count > 0) {
      to.receive(2, batch, count);
    }
  }

  private static void timers(NetworkStack stack) {
    if (stack.nextDeadlineNanos() <= Clock.system().nanos()) {
      stack.runTimers();
    }
  }

  private final class Source implements TcpHandler {
    private final byte[] chunk = new byte[64 << 10];
    private long left;

    Source(long total) {
      left = total;
    }

    private void push(TcpConnection to) {
      while (left > 0) {
        int count = (int) Math.min(chunk.length, left);
        int taken = to.write(chunk, 0, count);
        left -= taken;
        if (taken < count) {
          return;
        }
      }
      to.shutdownWrite();
    }

    @Override
    public void connected(TcpConnection to) {
      push(to);
    }

    @Override
    public void writable(TcpConnection to) {
      push(to);
    }

    @Override
    public void data(TcpConnection from, byte[] bytes, int at, int count) {}

    @Override
    public void peerClosed(TcpConnection from) {
      from.close();
    }

    @Override
    public void failed(TcpConnection on, SocketError error) {
      throw new IllegalStateException("the transfer failed: " + error);
    }

    @Override
    public void closed(TcpConnection on) {
      done = true;
    }
  }

  private final class Sink implements TcpHandler {
    @Override
    public void data(TcpConnection from, byte[] bytes, int at, int count) {
      received += count;
    }

    @Override
    public void peerClosed(TcpConnection from) {
      from.close();
    }

    @Override
    public void failed(TcpConnection on, SocketError error) {
      throw new IllegalStateException("the transfer failed: " + error);
    }
  }
}
