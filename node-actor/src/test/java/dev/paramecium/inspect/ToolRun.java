package dev.paramecium.inspect;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.ProcessTable;
import dev.paramecium.container.socket.Sockets;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A tool that was started on the test's own thread, and what it has printed so far. */
public final class ToolRun implements ProcessContext {

  private final List<String> argv;
  private final NamespaceView namespace;
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final List<Runnable> timers = new ArrayList<>();
  private int room;
  private long elapsedMs;
  private @Nullable Integer exitCode;
  private @Nullable Process process;

  private ToolRun(List<String> argv, NamespaceView namespace, int room) {
    this.argv = argv;
    this.namespace = namespace;
    this.room = room;
  }

  /** Starts a command line; its reader takes everything at once. */
  public static ToolRun run(
      Map<String, Executable> tools, NamespaceView namespace, String commandLine) {
    return start(tools, namespace, Integer.MAX_VALUE, words(commandLine));
  }

  /** Starts a command whose reader takes {@code room} writes before it falls behind. */
  public static ToolRun start(
      Map<String, Executable> tools, NamespaceView namespace, int room, List<String> argv) {
    ToolRun run = new ToolRun(argv, namespace, room);
    Executable tool = tools.get(argv.getFirst());
    if (tool == null) {
      throw new AssertionError(argv.getFirst() + " is not among " + tools.keySet());
    }
    run.process = tool.start(run);
    return run;
  }

  /** Splits at blanks; single quotes keep a word together. */
  private static List<String> words(String commandLine) {
    List<String> words = new ArrayList<>();
    boolean quoted = false;
    for (String part : commandLine.split("'", -1)) {
      if (quoted) {
        words.add(part);
      } else {
        for (String word : part.split(" ", -1)) {
          if (!word.isEmpty()) {
            words.add(word);
          }
        }
      }
      quoted = !quoted;
    }
    return words;
  }

  public String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  public byte[] outBytes() {
    return out.toByteArray();
  }

  public String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  /** Null while it runs. */
  public @Nullable Integer exitCode() {
    return exitCode;
  }

  /** Runs what other threads have asked for. */
  public ToolRun settle() {
    while (!tasks.isEmpty()) {
      tasks.removeFirst().run();
    }
    return this;
  }

  /** Time passes, and with it every delay that runs. */
  public ToolRun elapse(long ms) {
    elapsedMs += ms;
    List<Runnable> due = List.copyOf(timers);
    timers.clear();
    due.forEach(Runnable::run);
    return settle();
  }

  public ToolRun signal(int number) {
    process().signal(number);
    return this;
  }

  /** The reader has taken all and can take {@code more} writes. */
  public ToolRun drain(int more) {
    room = more;
    process().outputDrained();
    return this;
  }

  private Process process() {
    if (process == null) {
      throw new AssertionError("the tool has not started");
    }
    return process;
  }

  private boolean write(ByteArrayOutputStream to, byte[] bytes) {
    if (exitCode == null) {
      to.writeBytes(bytes);
      room--;
    }
    return room > 0;
  }

  @Override
  public boolean stdout(byte[] bytes) {
    return write(out, bytes);
  }

  @Override
  public boolean stderr(byte[] bytes) {
    return write(err, bytes);
  }

  @Override
  public void exit(int code) {
    if (exitCode == null) {
      exitCode = code;
    }
  }

  @Override
  public List<String> argv() {
    return argv;
  }

  @Override
  public Map<String, String> env() {
    return Map.of();
  }

  @Override
  public String hostname() {
    return "ubuntu-dev2";
  }

  @Override
  public int pid() {
    return 1;
  }

  @Override
  public boolean hasStdin() {
    return false;
  }

  @Override
  public boolean isTty() {
    return false;
  }

  @Override
  public Sockets sockets() {
    return (Sockets)
        Proxy.newProxyInstance(
            Sockets.class.getClassLoader(),
            new Class<?>[] {Sockets.class},
            (_, method, arguments) -> {
              if (!method.getName().equals("schedule")) {
                throw new AssertionError("a tool that only looks has no use for " + method);
              }
              Runnable task = (Runnable) arguments[1];
              timers.add(task);
              return (Sockets.Timer) () -> timers.remove(task);
            });
  }

  @Override
  public NamespaceView namespace() {
    return namespace;
  }

  @Override
  public FileSystem files() {
    return new FileSystem();
  }

  @Override
  public ProcessTable processes() {
    throw new AssertionError("a tool that only looks has no use for other processes");
  }

  @Override
  public Clock clock() {
    Clock system = Clock.system();
    return new Clock() {
      @Override
      public long nanos() {
        return system.nanos() + elapsedMs * 1_000_000;
      }

      @Override
      public long epochMs() {
        return system.epochMs() + elapsedMs;
      }
    };
  }

  @Override
  public RandomSource random() {
    return RandomSource.seeded(1);
  }

  @Override
  public Executor executor() {
    return tasks::addLast;
  }

  @Override
  public void pauseStdin() {}

  @Override
  public void readStdin() {}

  @Override
  public boolean canExecute(String name) {
    return false;
  }

  @Override
  public @Nullable Child spawn(ChildSpec spec, IntConsumer done) {
    return null;
  }
}
