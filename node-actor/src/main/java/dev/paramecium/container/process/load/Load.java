package dev.paramecium.container.process.load;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketException;
import java.util.List;

/**
 * {@code paramecium-load}: one end of a measurement. Receiving ends print {@code listening} when
 * they are ready; every end prints its figures as {@code name=value} words on one line when it is
 * done. On every image's PATH, so that {@code paramecium bench} works from any pod.
 */
public final class Load implements Executable {

  /** What it is called. */
  public static final String NAME = "paramecium-load";

  static final long NANOS_PER_MS = 1_000_000;

  private static final int FAILED = 1;
  private static final int USAGE = 2;

  private static final String SYNOPSIS =
      "usage: "
          + NAME
          + " udp-sink PORT | udp-source ADDRESS PORT BYTES MILLISECONDS | udp-echo PORT"
          + " | udp-ping ADDRESS PORT BYTES COUNT | tcp-sink PORT"
          + " | tcp-source ADDRESS PORT MILLISECONDS\n";

  @Override
  public Process start(ProcessContext context) {
    List<String> words = context.argv();
    try {
      return switch (words.size() < 3 ? "" : words.get(1) + "/" + (words.size() - 2)) {
        case "udp-sink/1" -> new UdpSink(context, number(words, 2));
        case "udp-source/4" -> new UdpSource(context, words, number(words, 4), number(words, 5));
        case "udp-echo/1" -> new UdpEcho(context, number(words, 2));
        case "udp-ping/4" -> new UdpPing(context, words, number(words, 4), number(words, 5));
        case "tcp-sink/1" -> new TcpSink(context, number(words, 2));
        case "tcp-source/3" -> new TcpSource(context, words, number(words, 4));
        default -> end(context, USAGE, SYNOPSIS);
      };
    } catch (IllegalArgumentException e) {
      return end(context, USAGE, e.getMessage() + "\n" + SYNOPSIS);
    } catch (SocketException e) {
      return end(context, FAILED, e.getMessage() + "\n");
    }
  }

  static int number(List<String> words, int index) {
    return Integer.parseInt(words.get(index));
  }

  private static Process end(ProcessContext context, int code, String message) {
    context.printError(message);
    context.exit(code);
    return _ -> {};
  }
}
