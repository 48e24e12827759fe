package dev.paramecium.container.process;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code paramecium-probe [-w MILLISECONDS] tcp|udp|sctp|icmp ADDRESS PORT}: sends one packet that
 * wants an answer and exits 0 if one came in time (two seconds, unless told otherwise), 3 if the
 * answer was that nobody listens there, 1 if none came. It is on every image's PATH, so that {@code
 * paramecium trace} works from any pod.
 *
 * <p>With more than one PROTOCOL ADDRESS PORT, all of them are tried at once; each gets a line, in
 * their order: {@code answered}, {@code refused}, or why not. Then the exit code is 0.
 */
public final class Probe implements Executable {

  /** What it is called. */
  public static final String NAME = "paramecium-probe";

  private static final long DEFAULT_LIMIT_MS = 2000;
  private static final int ANSWERED = 0;
  private static final int NOT_ANSWERED = 1;
  private static final int USAGE = 2;
  private static final int REFUSED = 3;
  private static final String NO_ANSWER = "no answer";

  @Override
  public Process start(ProcessContext context) {
    Running running = new Running(context);
    running.begin();
    return running;
  }

  private static final class Running implements Process {

    private final ProcessContext context;
    private final List<ProbedDestination> destinations = new ArrayList<>();
    private Sockets.@Nullable Timer timer;
    private int open;
    private boolean over;

    Running(ProcessContext context) {
      this.context = context;
    }

    void begin() {
      List<String> words = context.argv().subList(1, context.argv().size());
      long limitMs = DEFAULT_LIMIT_MS;
      try {
        if (words.size() > 1 && words.getFirst().equals("-w")) {
          limitMs = Long.parseLong(words.get(1));
          words = words.subList(2, words.size());
        }
        if (words.isEmpty() || words.size() % 3 != 0) {
          usage("");
          return;
        }
        for (int i = 0; i < words.size(); i += 3) {
          destinations.add(
              new ProbedDestination(
                  context,
                  ProbedDestination.Protocol.of(words.get(i)),
                  Ipv4Address.parse(words.get(i + 1)),
                  Integer.parseInt(words.get(i + 2)),
                  this::decided));
        }
      } catch (IllegalArgumentException e) {
        usage(String.valueOf(e.getMessage()));
        return;
      }
      timer = context.sockets().schedule(limitMs, this::timedOut);
      open = destinations.size();
      for (ProbedDestination destination : destinations) {
        try {
          destination.send();
        } catch (SocketException e) {
          destination.decide(String.valueOf(e.getMessage()));
        }
      }
    }

    private void usage(String mistake) {
      over = true;
      context.stderr(
          ((mistake.isEmpty() ? "" : mistake + "\n")
                  + "usage: "
                  + NAME
                  + " [-w MILLISECONDS] tcp|udp|sctp|icmp ADDRESS PORT [PROTOCOL ADDRESS"
                  + " PORT]...\n")
              .getBytes(StandardCharsets.UTF_8));
      context.exit(USAGE);
    }

    private void timedOut() {
      destinations.forEach(destination -> destination.decide(NO_ANSWER));
    }

    private void decided() {
      if (--open == 0 && !over) {
        over = true;
        if (timer != null) {
          timer.cancel();
        }
        report();
      }
    }

    private void report() {
      if (destinations.size() == 1) {
        String outcome = destinations.getFirst().outcome();
        boolean answered = outcome.equals(ProbedDestination.ANSWERED);
        boolean refused = outcome.equals(ProbedDestination.REFUSED);
        if (!answered) {
          context.stderr(
              ((refused ? "Connection refused" : outcome) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        context.exit(answered ? ANSWERED : refused ? REFUSED : NOT_ANSWERED);
        return;
      }
      StringBuilder lines = new StringBuilder();
      destinations.forEach(destination -> lines.append(destination.outcome()).append('\n'));
      context.stdout(lines.toString().getBytes(StandardCharsets.UTF_8));
      context.exit(ANSWERED);
    }

    @Override
    public void signal(int number) {
      if (!over) {
        over = true;
        context.stderr(("signal " + number + "\n").getBytes(StandardCharsets.UTF_8));
        context.exit(128 + number);
      }
    }
  }
}
