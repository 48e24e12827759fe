package dev.paramecium.container.process;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.Sockets;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** What the kernel gives a process. */
public interface ProcessContext {

  /** The command line, the program's own name first. */
  List<String> argv();

  Map<String, String> env();

  /** The pod's name, or the node's. */
  String hostname();

  /** The process's number in its container; the container's main process is 1. */
  int pid();

  /** Whether input will come, and whether a person types it. */
  boolean hasStdin();

  boolean isTty();

  Sockets sockets();

  /** The namespace's interfaces, routes and neighbours, for {@code ip} and {@code arp}. */
  NamespaceView namespace();

  /** The container's files. */
  FileSystem files();

  /** The processes beside this one, for {@code ps} and {@code kill}. */
  ProcessTable processes();

  Clock clock();

  RandomSource random();

  /**
   * Runs tasks on the namespace's actor; any thread may call it. For what reaches a process from
   * elsewhere on the node: packets and events that it follows. A task that comes after the process
   * exited does nothing.
   */
  Executor executor();

  /**
   * Writes; answers false when the reader is behind: stop and wait for {@link
   * Process#outputDrained}. Nothing is lost either way.
   */
  boolean stdout(byte[] bytes);

  boolean stderr(byte[] bytes);

  /** Writes text in UTF-8 to stdout. */
  default boolean print(String text) {
    return stdout(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes text in UTF-8 to stderr. */
  default boolean printError(String text) {
    return stderr(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads stdin from here on: {@link Process#stdin} and {@link Process#stdinClosed} come until
   * {@link #pauseStdin}. A process that never asks takes nothing: what was meant for it waits, and
   * is there for whoever reads the same input next.
   */
  void readStdin();

  /** Reads no more for now: what arrives waits, and its writer is told to. */
  void pauseStdin();

  /** Ends the process; calls on this context do nothing from here on. */
  void exit(int code);

  /** Whether PATH has a program of this name. */
  boolean canExecute(String name);

  /**
   * Runs another program as a child, for shells: {@code done} gets its exit code, at the earliest
   * after this call has returned. Null if PATH has no such program.
   */
  @Nullable Child spawn(ChildSpec spec, IntConsumer done);

  /**
   * A child to run.
   *
   * @param stdin whether {@link Child#stdin} will be called
   * @param stdout where its output goes, null to go where this process's goes
   */
  record ChildSpec(
      List<String> argv,
      Map<String, String> env,
      boolean stdin,
      @Nullable Output stdout,
      @Nullable Output stderr) {

    public ChildSpec {
      argv = List.copyOf(argv);
      env = Map.copyOf(env);
    }
  }

  /** Takes a child's output; answers false to make the child wait for {@link Child#drained}. */
  @FunctionalInterface
  interface Output {
    boolean write(byte[] bytes);
  }

  /** A child that runs. */
  interface Child {

    /**
     * Writes to its stdin; an empty array is one end of input, after which more may come.
     *
     * @return false when it is behind: {@code onDrained} tells when it has room
     */
    boolean stdin(byte[] bytes);

    /** Whether it reads its stdin right now and has read all that there was. */
    boolean wantsStdin();

    void closeStdin();

    /** Called when the child's stdin has room again after a false, or it begins to read. */
    void onDrained(Runnable action);

    /** The reader of the child's output has room again. */
    void drained();

    void signal(int number);
  }
}
