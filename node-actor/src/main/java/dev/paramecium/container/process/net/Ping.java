package dev.paramecium.container.process.net;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.socket.IcmpErrorText;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code ping} of iputils: echo requests (RFC 792), one each interval, and the statistics at the
 * end. Exit code 0 if replies came, 1 if none did, 2 for any other fault.
 */
public final class Ping implements Process, PingHandler {

  private static final int HEADERS = 28;
  private static final long DEFAULT_WAIT_MS = 10_000;

  private final ProcessContext context;
  private final String name;
  private final int count;
  private final long intervalMs;
  private final long waitMs;
  private final long deadlineMs;
  private final int size;
  private final int ttl;
  private final boolean quiet;

  private Ipv4Address destination = Ipv4Address.ANY;
  private @Nullable PingSocket socket;
  private Sockets.@Nullable Timer waiting;
  private final Map<Integer, Long> sentNs = new HashMap<>();
  private final BitSet answered = new BitSet();
  private long firstSentNs;
  private long lastSentNs;
  private int transmitted;
  private int received;
  private int duplicates;
  private int errors;
  private long minNs = Long.MAX_VALUE;
  private long maxNs;
  private double sumNs;
  private double sumOfSquares;

  private Ping(ProcessContext context, Options options) throws Options.InvalidOptionException {
    this.context = context;
    this.name = options.operands().getLast();
    this.count = options.number('c', 0, 1, 999_999_999);
    this.intervalMs = Math.max(2, options.millis('i', 1000));
    this.waitMs = options.millis('W', DEFAULT_WAIT_MS);
    this.deadlineMs = options.millis('w', 0);
    this.size = options.number('s', 56, 0, 65507);
    this.ttl = options.number('t', 64, 1, 255);
    this.quiet = options.has('q');
  }

  public static Process start(ProcessContext context) {
    List<String> argv = context.argv();
    try {
      Options options = Options.parse(argv.subList(1, argv.size()), "c:i:W:w:s:t:qn4AI:M:OD");
      if (options.operands().isEmpty()) {
        context.printError("ping: usage error: Destination address required\n");
        context.exit(1);
        return _ -> {};
      }
      Ping ping = new Ping(context, options);
      new Resolver(context).resolve(ping.name, ping::resolved);
      return ping;
    } catch (Options.InvalidOptionException e) {
      context.printError("ping: " + e.getMessage() + "\n");
      context.exit(2);
      return _ -> {};
    }
  }

  private void resolved(Resolver.Answer answer) {
    switch (answer) {
      case Resolver.Answer.Found found -> begin(found.addresses().getFirst());
      case Resolver.Answer.NotFound _ -> refuse(name + ": Name or service not known");
      case Resolver.Answer.NoAnswer _ -> refuse(name + ": Temporary failure in name resolution");
    }
  }

  private void refuse(String message) {
    context.printError("ping: " + message + "\n");
    context.exit(2);
  }

  private void begin(Ipv4Address address) {
    destination = address;
    if (context.namespace().routeTo(address) == null) {
      refuse("connect: Network is unreachable");
      return;
    }
    try {
      socket = context.sockets().openPing(this);
    } catch (SocketException e) {
      refuse("socket: " + e.error().text());
      return;
    }
    context.print(
        "PING "
            + name
            + " ("
            + address
            + ") "
            + size
            + "("
            + (size + HEADERS)
            + ") bytes of data.\n");
    if (deadlineMs > 0) {
      context.sockets().schedule(deadlineMs, this::finish);
    }
    firstSentNs = context.clock().nanos();
    sendNext();
  }

  private void sendNext() {
    PingSocket open = socket;
    if (open == null) {
      return;
    }
    int sequence = ++transmitted & 0xffff;
    lastSentNs = context.clock().nanos();
    sentNs.put(sequence, lastSentNs);
    answered.clear(sequence);
    byte[] payload = new byte[size];
    for (int i = 0; i < size; i++) {
      payload[i] = (byte) i;
    }
    try {
      open.send(destination, sequence, ttl, payload);
    } catch (SocketException e) {
      errors++;
      context.printError("ping: sendmsg: " + e.error().text() + "\n");
    }
    if (count == 0 || transmitted < count) {
      context.sockets().schedule(intervalMs, this::sendNext);
    } else {
      // As iputils: once a reply came, the last one is waited for no longer than two round trips.
      long lastWaitMs = received > 0 ? Math.max(2 * maxNs / 1_000_000, intervalMs) : waitMs;
      waiting = context.sockets().schedule(Math.min(waitMs, lastWaitMs), this::finish);
    }
  }

  @Override
  public void reply(Ipv4Address from, int sequence, int replyTtl, byte[] payload) {
    Long sent = sentNs.get(sequence);
    if (sent == null) {
      return;
    }
    long roundTripNs = context.clock().nanos() - sent;
    boolean duplicate = answered.get(sequence);
    if (duplicate) {
      duplicates++;
    } else {
      answered.set(sequence);
      received++;
      minNs = Math.min(minNs, roundTripNs);
      maxNs = Math.max(maxNs, roundTripNs);
      sumNs += roundTripNs;
      sumOfSquares += (double) roundTripNs * roundTripNs;
    }
    if (!quiet) {
      context.print(
          (payload.length + 8)
              + " bytes from "
              + from
              + ": icmp_seq="
              + sequence
              + " ttl="
              + replyTtl
              + (size >= 16 ? " time=" + millis(roundTripNs) + " ms" : "")
              + (duplicate ? " (DUP!)" : "")
              + "\n");
    }
    finishIfComplete();
  }

  /** iputils' precision: the smaller the time, the more digits. */
  private static String millis(long ns) {
    double ms = ns / 1e6;
    String format = ms >= 99.95 ? "%.0f" : ms >= 9.995 ? "%.1f" : ms >= 0.9995 ? "%.2f" : "%.3f";
    return String.format(Locale.ROOT, format, ms);
  }

  @Override
  public void error(Ipv4Address from, int type, int code, int sequence) {
    errors++;
    if (!quiet) {
      context.print(
          "From " + from + " icmp_seq=" + sequence + " " + IcmpErrorText.of(type, code) + "\n");
    }
    finishIfComplete();
  }

  private void finishIfComplete() {
    if (count > 0 && transmitted >= count && received + errors >= count) {
      finish();
    }
  }

  private void finish() {
    if (waiting != null) {
      waiting.cancel();
    }
    context.print(statistics());
    boolean complete = deadlineMs == 0 || count == 0 || received >= count;
    context.exit(received > 0 && complete ? 0 : 1);
  }

  private String statistics() {
    StringBuilder text = new StringBuilder("\n--- " + name + " ping statistics ---\n");
    text.append(transmitted).append(" packets transmitted, ").append(received).append(" received");
    if (duplicates > 0) {
      text.append(", +").append(duplicates).append(" duplicates");
    }
    if (errors > 0) {
      text.append(", +").append(errors).append(" errors");
    }
    if (transmitted > 0) {
      double lost = 100.0 * (transmitted - received) / transmitted;
      String percent = String.format(Locale.ROOT, "%.4f", lost).replaceAll("\\.?0+$", "");
      text.append(", ").append(percent.isEmpty() ? "0" : percent).append("% packet loss");
      text.append(", time ").append((lastSentNs - firstSentNs) / 1_000_000).append("ms");
    }
    text.append('\n');
    if (received > 0 && size >= 16) {
      double mean = sumNs / received;
      double deviation = Math.sqrt(Math.max(0, sumOfSquares / received - mean * mean));
      text.append(
          String.format(
              Locale.ROOT,
              "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
              minNs / 1e6,
              mean / 1e6,
              maxNs / 1e6,
              deviation / 1e6));
    } else {
      text.append('\n');
    }
    return text.toString();
  }

  /** Ctrl-C prints the statistics; SIGQUIT prints a line and goes on. */
  @Override
  public void signal(int number) {
    if (number == Signals.SIGINT && socket != null) {
      finish();
    } else if (number == Signals.SIGQUIT) {
      context.printError(
          "\r"
              + received
              + "/"
              + transmitted
              + " packets, "
              + (transmitted - received)
              + " lost\n");
    } else {
      context.exit(Signals.exitCode(number));
    }
  }
}
