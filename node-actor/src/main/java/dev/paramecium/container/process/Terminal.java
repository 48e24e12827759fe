package dev.paramecium.container.process;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The line discipline of a terminal (termios(3), cooked mode): echoes what is typed, lets a line be
 * edited before the process sees it, turns Ctrl-C into SIGINT and Ctrl-D into end of input, and
 * newlines into CR LF on the way out. The arrow keys bring back earlier lines, which at a real
 * terminal is the shell's doing.
 */
public final class Terminal {

  private static final int CTRL_C = 3;
  private static final int CTRL_D = 4;
  private static final int BACKSPACE = 8;
  private static final int CTRL_U = 21;
  private static final int CTRL_W = 23;
  private static final int CTRL_BACKSLASH = 28;
  private static final int ESCAPE = 27;
  private static final int DELETE = 127;
  private static final int MAX_LINE = 4096;

  /** What may be typed ahead of a process that does not read; then the bell rings. */
  private static final int MAX_UNREAD = 4096;

  private final ProcessTable.Stdio screen;
  private final StringBuilder escape = new StringBuilder();
  private final LineHistory history = new LineHistory();
  private byte[] line = new byte[MAX_LINE];
  private int length;
  private @Nullable RunningProcess process;

  /** What {@code screen} gets is what a person sees. */
  public Terminal(ProcessTable.Stdio screen) {
    this.screen = screen;
  }

  /** Which process reads what is typed. */
  public void attach(RunningProcess attached) {
    process = attached;
  }

  /** A process wrote. */
  public boolean output(byte[] bytes) {
    ByteArrayOutputStream cooked = new ByteArrayOutputStream(bytes.length + 16);
    for (byte b : bytes) {
      if (b == '\n') {
        cooked.write('\r');
      }
      cooked.write(b);
    }
    return screen.output(1, cooked.toByteArray());
  }

  private void echo(String text) {
    screen.output(1, text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Someone typed. */
  public void input(byte[] typed) {
    for (byte b : typed) {
      key(b & 0xff);
    }
  }

  private void key(int key) {
    RunningProcess reader = process;
    if (reader == null) {
      return;
    }
    if (!escape.isEmpty()) {
      escaped((char) key);
      return;
    }
    switch (key) {
      case CTRL_C -> interrupt(reader, Signals.SIGINT, "^C\r\n");
      case CTRL_BACKSLASH -> interrupt(reader, Signals.SIGQUIT, "^\\\r\n");
      case CTRL_D -> {
        if (length == 0) {
          reader.stdin(new byte[0]);
        } else {
          deliver(reader);
        }
      }
      case BACKSPACE, DELETE -> erase();
      case CTRL_U -> {
        while (length > 0) {
          erase();
        }
      }
      case CTRL_W -> {
        while (length > 0 && line[length - 1] == ' ') {
          erase();
        }
        while (length > 0 && line[length - 1] != ' ') {
          erase();
        }
      }
      case ESCAPE -> escape.append((char) key);
      case '\r', '\n' -> {
        echo("\r\n");
        history.add(Arrays.copyOf(line, length));
        append('\n');
        deliver(reader);
      }
      default -> {
        if ((key >= ' ' || key == '\t') && length < MAX_LINE - 1) {
          append(key);
          echo(String.valueOf((char) key));
        }
      }
    }
  }

  /** An escape sequence: up and down bring back lines, all others are swallowed. */
  private void escaped(char key) {
    escape.append(key);
    boolean introducer = escape.length() == 2 && (key == '[' || key == 'O');
    if (!introducer && (escape.length() == 2 || Character.isLetter(key) || key == '~')) {
      boolean arrow = escape.length() == 3;
      escape.setLength(0);
      if (arrow && key == 'A') {
        replace(history.older());
      } else if (arrow && key == 'B') {
        replace(history.newer());
      }
    }
  }

  /** As a shell's line editing would: the line that is being typed is another one now. */
  private void replace(byte[] with) {
    while (length > 0) {
      erase();
    }
    System.arraycopy(with, 0, line, 0, with.length);
    length = with.length;
    screen.output(1, with);
  }

  private void interrupt(RunningProcess reader, int signal, String shown) {
    length = 0;
    echo(shown);
    reader.flushInput();
    reader.signal(signal);
  }

  private void append(int key) {
    line[length++] = (byte) key;
  }

  private void erase() {
    if (length == 0) {
      return;
    }
    while (length > 1 && (line[length - 1] & 0xc0) == 0x80) {
      length--;
    }
    length--;
    echo("\b \b");
  }

  private void deliver(RunningProcess reader) {
    byte[] bytes = Arrays.copyOf(line, length);
    length = 0;
    if (reader.unreadInput() + bytes.length > MAX_UNREAD) {
      echo("\007");
    } else {
      reader.stdin(bytes);
    }
  }
}
