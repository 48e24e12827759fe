package dev.paramecium.container.process.coreutils;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program that reads its operands, or stdin, as one stream. It reads no faster than its output is
 * taken.
 *
 * <pre>
 *   files, -, /dev/zero, /dev/urandom  --chunk(bytes)--&gt;  the program  --emit(bytes)--&gt;  stdout
 *                                      --end()---------&gt;               --exit code
 * </pre>
 */
abstract class Filter implements Process {

  private static final int CHUNK = 65536;

  /** Bytes of an endless file to read before others on the namespace's actor get their turn. */
  private static final int TURN = 1 << 20;

  protected final ProcessContext context;
  private final Deque<String> operands;
  private boolean blocked;
  private boolean done;
  private boolean readingStdin;
  private @Nullable String endless;
  private int exitCode;

  Filter(ProcessContext context, List<String> operands) {
    this.context = context;
    this.operands = new ArrayDeque<>(operands.isEmpty() ? List.of("-") : operands);
  }

  /** Takes the next bytes; false if it needs no more. */
  protected abstract boolean chunk(byte[] bytes);

  /** The stream ended: answers the exit code. */
  protected abstract int end();

  /** A new operand starts; for programs that report on each. */
  protected void opened(String operand) {}

  /** How many bytes of an endless file are wanted at most. */
  protected long wanted() {
    return Long.MAX_VALUE;
  }

  protected final void emit(byte[] bytes) {
    if (!context.stdout(bytes)) {
      blocked = true;
      context.pauseStdin();
    }
  }

  protected final void emit(String text) {
    emit(text.getBytes(StandardCharsets.UTF_8));
  }

  final Process begin() {
    advance();
    return this;
  }

  private void advance() {
    int turn = 0;
    while (!done && !blocked && !readingStdin) {
      if (endless != null) {
        if (turn >= TURN) {
          context.sockets().schedule(0, this::advance);
          return;
        }
        byte[] bytes = new byte[(int) Math.min(CHUNK, Math.max(1, wanted()))];
        if (endless.equals("/dev/urandom")) {
          for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) context.random().nextInt();
          }
        }
        turn += bytes.length;
        take(bytes);
      } else if (operands.isEmpty()) {
        finish();
      } else {
        open(operands.removeFirst());
      }
    }
  }

  private void open(String operand) {
    if (operand.equals("-")) {
      readingStdin = context.hasStdin();
      context.readStdin();
      opened(operand);
      return;
    }
    String name = operand.replace("/dev/random", "/dev/urandom");
    if (name.equals("/dev/zero") || name.equals("/dev/urandom")) {
      endless = name;
      opened(operand);
      return;
    }
    byte[] bytes = context.files().read(operand);
    if (bytes == null) {
      String reason =
          context.files().isDirectory(operand) ? "Is a directory" : "No such file or directory";
      context.printError(context.argv().getFirst() + ": " + operand + ": " + reason + "\n");
      exitCode = 1;
      return;
    }
    opened(operand);
    if (bytes.length > 0) {
      take(bytes);
    }
  }

  private void take(byte[] bytes) {
    if (!done && !chunk(bytes)) {
      finish();
    }
  }

  private void finish() {
    if (!done) {
      done = true;
      context.exit(Math.max(exitCode, end()));
    }
  }

  @Override
  public void stdin(byte[] bytes) {
    if (readingStdin) {
      take(bytes);
    }
  }

  @Override
  public void stdinClosed() {
    if (readingStdin) {
      readingStdin = false;
      context.pauseStdin();
      advance();
    }
  }

  @Override
  public void outputDrained() {
    if (blocked) {
      blocked = false;
      if (readingStdin) {
        context.readStdin();
      }
      advance();
    }
  }

  @Override
  public void signal(int number) {
    context.exit(Signals.exitCode(number));
  }
}
