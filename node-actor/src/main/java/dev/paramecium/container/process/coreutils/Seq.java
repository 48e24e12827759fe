package dev.paramecium.container.process.coreutils;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** {@code seq [FIRST [INC]] LAST}: numbers, a line each, as fast as the reader takes them. */
final class Seq implements Process {

  private static final String NUMBER = "-?\\d{1,18}";
  private static final int CHUNK = 32 * 1024;

  /** How many chunks go out before other processes of the namespace have their turn. */
  private static final int TURN = 8;

  private static final int SIGNALLED = 128;

  private final ProcessContext context;
  private final long step;
  private final long last;
  private long next;
  private boolean over;

  private Seq(ProcessContext context, long first, long step, long last) {
    this.context = context;
    this.next = first;
    this.step = step;
    this.last = last;
  }

  static Process start(ProcessContext context) {
    List<String> words = context.argv().subList(1, context.argv().size());
    Seq seq = new Seq(context, 1, 1, 0);
    for (String word : words) {
      if (!word.matches(NUMBER)) {
        return seq.refuse("invalid number '" + word + "'");
      }
    }
    if (words.isEmpty() || words.size() > 3) {
      return seq.refuse("usage: seq [FIRST [INC]] LAST");
    }
    long first = words.size() == 1 ? 1 : Long.parseLong(words.getFirst());
    long step = words.size() == 3 ? Long.parseLong(words.get(1)) : 1;
    if (step == 0) {
      return seq.refuse("invalid Zero increment value: '0'");
    }
    Seq running = new Seq(context, first, step, Long.parseLong(words.getLast()));
    running.write();
    return running;
  }

  private Process refuse(String message) {
    context.stderr(("seq: " + message + "\n").getBytes(StandardCharsets.UTF_8));
    end(1);
    return this;
  }

  private void write() {
    for (int chunk = 0; chunk < TURN && !over; chunk++) {
      StringBuilder text = new StringBuilder(CHUNK + 32);
      while (isLeft() && text.length() < CHUNK) {
        text.append(next).append('\n');
        next += step;
      }
      boolean room = context.stdout(text.toString().getBytes(StandardCharsets.US_ASCII));
      if (!isLeft()) {
        end(0);
      } else if (!room) {
        return; // outputDrained goes on
      }
    }
    if (!over) {
      context.sockets().schedule(0, this::write);
    }
  }

  private boolean isLeft() {
    return step > 0 ? next <= last : next >= last;
  }

  private void end(int code) {
    if (!over) {
      over = true;
      context.exit(code);
    }
  }

  @Override
  public void outputDrained() {
    write();
  }

  @Override
  public void signal(int number) {
    end(SIGNALLED + number);
  }
}
