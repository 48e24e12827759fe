package dev.paramecium.container.process;

import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The processes of one container, or of a node's own namespace: with its PATH, its environment and
 * its files, in a PID namespace that other containers may share. Not for several threads at once:
 * all of it runs on the network namespace's actor.
 *
 * <pre>
 *   start(argv, Stdio) --&gt;  RunningProcess  --output(stream, bytes)--&gt;  Stdio   (a log, an exec session)
 *                             | Child of a shell: output goes to the parent or where it says
 * </pre>
 */
public final class ProcessTable {

  /** Where a process's output goes. */
  @FunctionalInterface
  public interface Stdio {

    /**
     * Takes output; answers false when behind, and then calls {@link RunningProcess#drained}.
     *
     * @param stream 1 for stdout, 2 for stderr
     */
    boolean output(int stream, byte[] bytes);
  }

  private final String hostname;
  private final Map<String, Executable> path;
  private final Map<String, String> env;
  private final FileSystem files;
  private final NamespaceServices services;
  private final PidNamespace pids;
  private long cpuNs;

  /**
   * @param path the programs by name, as PATH finds them
   * @param env what every process has, HOSTNAME and PATH included
   * @param pids where its processes get their numbers, and see the others'
   */
  public ProcessTable(
      String hostname,
      Map<String, Executable> path,
      Map<String, String> env,
      FileSystem files,
      NamespaceServices services,
      PidNamespace pids) {
    this.hostname = hostname;
    this.path = Map.copyOf(path);
    this.env = Map.copyOf(env);
    this.files = files;
    this.services = services;
    this.pids = pids;
  }

  /**
   * Starts a process, or answers null if PATH has no such program: {@link #notFound} says it as a
   * runtime does.
   *
   * @param stdin whether input will come through {@link RunningProcess#stdin}
   * @param exited gets the exit code, at the earliest after this call has returned
   */
  public @Nullable RunningProcess start(
      List<String> argv, boolean stdin, boolean tty, Stdio stdio, IntConsumer exited) {
    return start(argv, env, stdin, tty, stdio, exited, null);
  }

  @Nullable RunningProcess start(
      List<String> argv,
      Map<String, String> processEnv,
      boolean stdin,
      boolean tty,
      Stdio stdio,
      IntConsumer exited,
      @Nullable RunningProcess parent) {
    Executable executable = find(argv);
    if (executable == null) {
      return null;
    }
    RunningProcess process =
        new RunningProcess(
            this, pids.nextPid(), argv, processEnv, stdin, tty, stdio, exited, parent);
    pids.add(process);
    process.start(executable);
    return process;
  }

  @Nullable Executable find(List<String> argv) {
    if (argv.isEmpty()) {
      return null;
    }
    String name = argv.getFirst();
    return path.get(name.substring(name.lastIndexOf('/') + 1));
  }

  /** What runc says when a program does not exist, without the prefix that names who asked. */
  public static String notFound(List<String> argv) {
    String name = argv.isEmpty() ? "" : argv.getFirst();
    String reason =
        name.contains("/")
            ? "stat " + name + ": no such file or directory"
            : "executable file not found in $PATH";
    return "unable to start container process: exec: \"" + name + "\": " + reason + ": unknown";
  }

  /** Ends every process of its own with SIGKILL; their exits are told. */
  public void killAll() {
    own().forEach(process -> process.signal(Signals.SIGKILL));
  }

  private List<RunningProcess> own() {
    return pids.all().stream().filter(process -> process.processes() == this).toList();
  }

  /** The processes that run in its PID namespace, by pid: their command lines. */
  public Map<Integer, List<String>> list() {
    return pids.list();
  }

  /** How many processes of its own run. */
  public int size() {
    return own().size();
  }

  /** Where its processes have their numbers, for another container to share. */
  public PidNamespace pids() {
    return pids;
  }

  /** A program of these is called. */
  void entered() {
    services.cpu().entered(this);
  }

  void used(long ns) {
    cpuNs += ns;
  }

  /** How long the namespace's thread has worked for these, in all. */
  public long cpuNs() {
    return cpuNs;
  }

  public FileSystem files() {
    return files;
  }

  @Nullable RunningProcess process(int pid) {
    return pids.find(pid);
  }

  /**
   * Signals a process of the PID namespace, as kill(2) from within: process 1 cannot be killed so.
   *
   * @param number 0 only asks whether it is there
   * @return false if there is none of this number
   */
  public boolean signal(int pid, int number) {
    RunningProcess process = pids.find(pid);
    if (process == null) {
      return false;
    }
    if (number != 0 && !(pid == PidNamespace.INIT && number == Signals.SIGKILL)) {
      process.signal(number);
    }
    return true;
  }

  /** Ends a process and everything that it started. */
  void killTree(RunningProcess process) {
    for (RunningProcess other : own()) {
      if (other.parent() == process) {
        killTree(other);
      }
    }
    process.signal(Signals.SIGKILL);
  }

  void exited(RunningProcess process) {
    pids.remove(process);
  }

  List<String> programs() {
    return path.keySet().stream().sorted().toList();
  }

  String hostname() {
    return hostname;
  }

  NamespaceServices services() {
    return services;
  }
}
