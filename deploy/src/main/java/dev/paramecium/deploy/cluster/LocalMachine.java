package dev.paramecium.deploy.cluster;

import dev.paramecium.chaos.Machine;
import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The processes that {@code up} started on this machine, by its cluster file. What is started anew
 * is noted there: {@code down} finds it.
 *
 * @param home the folder of the cluster file
 */
public record LocalMachine(Path home) implements Machine {

  private static final Duration END = Duration.ofSeconds(15);

  /** How long who asked for a crash has to say that it will happen. */
  private static final double WARNING_SECONDS = 0.7;

  @Override
  public List<String> sharing(String node) {
    return process(node).nodes();
  }

  @Override
  public void kill(String node) {
    end(process(node), true);
  }

  @Override
  public void terminate(String node) {
    end(process(node), false);
  }

  private static void end(ClusterFile.Process process, boolean now) {
    Optional<ProcessHandle> running = process.handle();
    running.ifPresent(handle -> signal(process.pid(), now ? "KILL" : "TERM"));
    Instant limit = Instant.now().plus(END);
    while (running.isPresent() && isAlive(process)) {
      if (Instant.now().isAfter(limit)) {
        throw new IllegalStateException(
            process.name()
                + " (pid "
                + process.pid()
                + ") did not end in "
                + END.toSeconds()
                + " s");
      }
      try {
        TimeUnit.MILLISECONDS.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while " + process.name() + " ends", e);
      }
    }
  }

  /** A process that ended, but that nobody has asked for its exit code, is no more. */
  private static boolean isAlive(ClusterFile.Process process) {
    return process.handle().isPresent() && state(process.pid()) != 'Z';
  }

  /** As in {@code /proc/PID/stat}: T for stopped, Z for ended; X if there is none. */
  static char state(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (IOException _) {
      return 'X';
    }
  }

  @Override
  public void start(String node) {
    ClusterFile.Process old = process(node);
    if (isAlive(old)) {
      return;
    }
    Process started = JavaCommand.start(old.command(), Path.of(old.log()));
    note(old.at(started.toHandle()));
  }

  @Override
  public void pause(String node) {
    ClusterFile.Process process = process(node);
    if (!isAlive(process)) {
      throw new IllegalStateException(node + " does not run: it cannot be paused");
    }
    signal(process.pid(), "STOP");
  }

  @Override
  public void resume(String node) {
    ClusterFile.Process process = process(node);
    if (isAlive(process)) {
      signal(process.pid(), "CONT");
    }
  }

  @Override
  public void crashSelf(Duration rest) {
    ClusterFile.Process self = process(ClusterMember.CONTROL_PLANE);
    List<String> words = new ArrayList<>();
    self.command().forEach(word -> words.add(quoted(word)));
    // Whoever was started in its place meanwhile, or took the whole cluster down, is left alone.
    outside(
        rest,
        "kill -KILL " + self.pid(),
        "grep -q '\"pid\" : "
            + self.pid()
            + "\\b' "
            + quoted(ClusterFile.path(home).toString())
            + " && exec "
            + String.join(" ", words)
            + " >>"
            + quoted(self.log())
            + " 2>&1");
  }

  @Override
  public void pauseSelf(Duration rest) {
    long pid = process(ClusterMember.CONTROL_PLANE).pid();
    outside(rest, "kill -STOP " + pid, "kill -CONT " + pid);
  }

  /** A shell that outlives this process does one thing soon, and another when it is time. */
  private static void outside(Duration rest, String first, String then) {
    double seconds = Math.max(0, rest.toMillis() / 1000.0 - WARNING_SECONDS);
    String script =
        String.format(
            Locale.ROOT,
            "trap '' HUP INT TERM; sleep %.3f; %s; sleep %.3f; %s",
            WARNING_SECONDS,
            first,
            seconds,
            then);
    try {
      new ProcessBuilder("/bin/sh", "-c", script)
          .redirectInput(Path.of("/dev/null").toFile())
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      throw new IllegalStateException("cannot start /bin/sh: " + e.getMessage(), e);
    }
  }

  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  static void signal(long pid, String name) {
    try {
      Process kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + pid).start();
      kill.waitFor();
    } catch (IOException e) {
      throw new IllegalStateException("cannot start /bin/sh: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The control plane started again is another process: {@code down} must find that one. */
  public void noteControlPlane() {
    ProcessHandle self = ProcessHandle.current();
    ClusterFile.read(home)
        .flatMap(file -> file.of(ClusterMember.CONTROL_PLANE))
        .filter(known -> known.pid() != self.pid())
        .ifPresent(known -> note(known.at(self)));
  }

  private void note(ClusterFile.Process changed) {
    ClusterFile file =
        ClusterFile.read(home).orElseThrow(() -> unknown(changed.name(), "cluster.json is gone"));
    List<ClusterFile.Process> processes = new ArrayList<>();
    for (ClusterFile.Process process : file.processes()) {
      processes.add(process.name().equals(changed.name()) ? changed : process);
    }
    new ClusterFile(file.apiServer(), processes).write(home);
  }

  private ClusterFile.Process process(String name) {
    try {
      return ClusterFile.read(home)
          .flatMap(file -> file.of(name))
          .filter(process -> !process.command().isEmpty())
          .orElseThrow(() -> unknown(name, "no process there runs it"));
    } catch (UserError e) {
      throw unknown(name, String.valueOf(e.getMessage()));
    }
  }

  private IllegalStateException unknown(String name, String why) {
    return new IllegalStateException(
        name
            + " is not in the cluster file under "
            + home
            + " ("
            + why
            + "): faults of processes need a cluster that 'paramecium up' started on this machine");
  }
}
