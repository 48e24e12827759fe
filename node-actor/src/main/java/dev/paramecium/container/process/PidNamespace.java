package dev.paramecium.container.process;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of processes that see each other: those of one container, and of the containers that
 * share its PID namespace (pid_namespaces(7)). Process 1 is its init: with it all others end.
 */
public final class PidNamespace {

  static final int INIT = 1;

  private final Map<Integer, RunningProcess> processes = new TreeMap<>();
  private int lastPid;

  /**
   * @param firstPid 1 in a container; more on a node, where process 1 is not one of these
   */
  public PidNamespace(int firstPid) {
    this.lastPid = firstPid - 1;
  }

  int nextPid() {
    return ++lastPid;
  }

  void add(RunningProcess process) {
    processes.put(process.pid(), process);
  }

  void remove(RunningProcess process) {
    processes.remove(process.pid());
    if (process.pid() == INIT) {
      all().forEach(other -> other.signal(Signals.SIGKILL));
    }
  }

  @Nullable RunningProcess find(int pid) {
    return processes.get(pid);
  }

  /** A copy: what is done to one may end others. */
  List<RunningProcess> all() {
    return new ArrayList<>(processes.values());
  }

  /** The processes that run, by pid: their command lines. */
  Map<Integer, List<String>> list() {
    Map<Integer, List<String>> running = new LinkedHashMap<>();
    processes.forEach((pid, process) -> running.put(pid, process.argv()));
    return running;
  }
}
