package dev.paramecium.container.process;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.Sockets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process from its start to its exit: what it is given as its context, and what whoever started
 * it holds in hand.
 */
public final class RunningProcess implements ProcessContext, ProcessContext.Child {

  private static final Logger LOG = LoggerFactory.getLogger(RunningProcess.class);

  /** A pipe's capacity (pipe(7)): how much may wait for a process that does not read. */
  static final int PIPE_CAPACITY = 65536;

  private final ProcessTable table;
  private final int pid;
  private final List<String> argv;
  private final Map<String, String> env;
  private final boolean hasStdin;
  private final boolean tty;
  private final ProcessTable.Stdio stdio;
  private final IntConsumer exited;
  private final OwnedSockets sockets;
  private final @Nullable RunningProcess parent;

  private @Nullable Process program;
  private boolean starting;
  private boolean hasExited;
  private int exitCode;

  private final Deque<byte[]> input = new ArrayDeque<>();
  private int inputBytes;
  private boolean reading;
  private boolean inputClosed;
  private boolean endTold;
  private boolean writerWaits;
  private @Nullable Runnable inputDrained;

  RunningProcess(
      ProcessTable table,
      int pid,
      List<String> argv,
      Map<String, String> env,
      boolean hasStdin,
      boolean tty,
      ProcessTable.Stdio stdio,
      IntConsumer exited,
      @Nullable RunningProcess parent) {
    this.table = table;
    this.pid = pid;
    this.argv = List.copyOf(argv);
    this.env = Map.copyOf(env);
    this.hasStdin = hasStdin;
    this.tty = tty;
    this.stdio = stdio;
    this.exited = exited;
    this.sockets = new OwnedSockets(table.services().sockets(), table::entered, this::crashed);
    this.parent = parent;
  }

  void start(Executable executable) {
    starting = true;
    guard(() -> program = executable.start(this));
    starting = false;
    if (hasExited) {
      table.services().sockets().schedule(0, this::tellExit);
    } else {
      deliverInput();
    }
  }

  /** A program's own fault ends the program, as a segmentation fault would, and nothing else. */
  private void guard(Runnable call) {
    table.entered();
    try {
      call.run();
    } catch (RuntimeException e) {
      crashed(e);
    }
  }

  private void crashed(RuntimeException fault) {
    LOG.error("{} (pid {} of {}) crashed", argv, pid, table.hostname(), fault);
    printError("Segmentation fault\n");
    exit(Signals.exitCode(Signals.SIGSEGV));
  }

  @Nullable RunningProcess parent() {
    return parent;
  }

  // ---- what whoever started it may do

  @Override
  public boolean stdin(byte[] bytes) {
    byte[] last = input.peekLast();
    boolean endAgain = bytes.length == 0 && last != null && last.length == 0;
    if (hasExited || !hasStdin || inputClosed || endAgain) {
      return true;
    }
    input.add(bytes);
    inputBytes += bytes.length;
    deliverInput();
    writerWaits = inputBytes >= PIPE_CAPACITY;
    return !writerWaits;
  }

  /** How much input waits for the process. */
  public int unreadInput() {
    return inputBytes;
  }

  @Override
  public boolean wantsStdin() {
    return hasStdin && reading && !starting && program != null && !hasExited && input.isEmpty();
  }

  @Override
  public void closeStdin() {
    inputClosed = true;
    deliverInput();
  }

  /** A terminal forgets what was typed and not read yet (tcflush). */
  void flushInput() {
    input.clear();
    inputBytes = 0;
  }

  @Override
  public void onDrained(Runnable action) {
    inputDrained = action;
  }

  @Override
  public void drained() {
    if (!hasExited && program != null) {
      guard(program::outputDrained);
    }
  }

  public void resized(int columns, int rows) {
    if (!hasExited && program != null) {
      Process reader = program;
      guard(() -> reader.resized(columns, rows));
    }
  }

  @Override
  public void signal(int number) {
    if (hasExited) {
      return;
    }
    if (number == Signals.SIGKILL || program == null) {
      exit(Signals.exitCode(number));
    } else {
      Process target = program;
      guard(() -> target.signal(number));
    }
  }

  public boolean isRunning() {
    return !hasExited;
  }

  // ---- the context

  @Override
  public List<String> argv() {
    return argv;
  }

  @Override
  public Map<String, String> env() {
    return env;
  }

  @Override
  public String hostname() {
    return table.hostname();
  }

  @Override
  public int pid() {
    return pid;
  }

  @Override
  public boolean hasStdin() {
    return hasStdin;
  }

  @Override
  public boolean isTty() {
    return tty;
  }

  @Override
  public Sockets sockets() {
    return sockets;
  }

  @Override
  public NamespaceView namespace() {
    return table.services().view();
  }

  @Override
  public FileSystem files() {
    return table.files();
  }

  @Override
  public Clock clock() {
    return table.services().clock();
  }

  @Override
  public RandomSource random() {
    return table.services().random();
  }

  @Override
  public Executor executor() {
    return task ->
        table
            .services()
            .executor()
            .execute(
                () -> {
                  if (!hasExited) {
                    guard(task);
                  }
                });
  }

  @Override
  public ProcessTable processes() {
    return table;
  }

  @Override
  public boolean stdout(byte[] bytes) {
    return output(1, bytes);
  }

  @Override
  public boolean stderr(byte[] bytes) {
    return output(2, bytes);
  }

  private boolean output(int stream, byte[] bytes) {
    return hasExited || bytes.length == 0 || stdio.output(stream, bytes);
  }

  @Override
  public void pauseStdin() {
    reading = false;
  }

  @Override
  public void readStdin() {
    if (!reading && hasStdin && !hasExited) {
      reading = true;
      sockets.schedule(0, this::deliverInput);
    }
  }

  private void deliverInput() {
    Process reader = program;
    if (reader == null || starting || !hasStdin) {
      return;
    }
    while (!hasExited && reading) {
      byte[] next = input.poll();
      if (next == null) {
        break;
      }
      inputBytes -= next.length;
      guard(next.length == 0 ? reader::stdinClosed : () -> reader.stdin(next));
    }
    if (!hasExited && inputClosed && !endTold && input.isEmpty() && reading) {
      endTold = true;
      guard(reader::stdinClosed);
    }
    boolean hasRoom = writerWaits && inputBytes < PIPE_CAPACITY;
    if (inputDrained != null && (hasRoom || wantsStdin())) {
      writerWaits = false;
      inputDrained.run();
    }
  }

  @Override
  public void exit(int code) {
    if (hasExited) {
      return;
    }
    hasExited = true;
    exitCode = code & 0xff;
    input.clear();
    inputBytes = 0;
    sockets.closeAll();
    table.exited(this);
    if (!starting) {
      tellExit();
    }
  }

  private void tellExit() {
    if (writerWaits && inputDrained != null) {
      writerWaits = false;
      inputDrained.run();
    }
    exited.accept(exitCode);
  }

  @Override
  public boolean canExecute(String name) {
    return table.find(List.of(name)) != null;
  }

  @Override
  public @Nullable Child spawn(ChildSpec spec, IntConsumer done) {
    ChildOutput output = new ChildOutput(spec.stdout(), spec.stderr());
    RunningProcess child =
        table.start(
            spec.argv(),
            spec.env(),
            spec.stdin(),
            tty && spec.stdout() == null,
            output,
            done,
            this);
    return child;
  }

  /** A child's output: where its parent said, or where the parent's own goes. */
  private final class ChildOutput implements ProcessTable.Stdio {
    private final @Nullable Output out;
    private final @Nullable Output err;

    ChildOutput(@Nullable Output out, @Nullable Output err) {
      this.out = out;
      this.err = err;
    }

    @Override
    public boolean output(int stream, byte[] bytes) {
      Output target = stream == 1 ? out : err;
      return target == null ? RunningProcess.this.output(stream, bytes) : target.write(bytes);
    }
  }
}
