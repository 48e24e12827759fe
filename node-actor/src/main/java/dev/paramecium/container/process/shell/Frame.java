package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.ProcessContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One environment in which commands run: the shell's own, or that of a subshell, a pipeline's stage
 * or a command substitution. When it stops, what it started is told to.
 */
final class Frame {

  final Variables variables;

  /** How many loops {@code break} or {@code continue} still has to leave. */
  int leaving;

  /** Whether the loop that is left last goes on with its next round. */
  boolean continuing;

  /** {@code set -e}. */
  boolean exitOnError;

  /** How many conditions are being evaluated, in which a failure is an answer. */
  int conditions;

  private @Nullable Runnable wait;

  private boolean killed;
  private boolean stopped;
  private int exitCode;
  private final Set<ProcessContext.Child> children =
      Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Frame> inner = Collections.newSetFromMap(new IdentityHashMap<>());

  Frame(Variables variables) {
    this.variables = variables;
  }

  /** A frame inside this one, with its own variables. */
  Frame subshell() {
    Frame frame = new Frame(variables.copy());
    frame.exitOnError = exitOnError;
    inner.add(frame);
    return frame;
  }

  void ended(Frame frame) {
    inner.remove(frame);
  }

  void started(ProcessContext.Child child) {
    children.add(child);
  }

  void ended(ProcessContext.Child child) {
    children.remove(child);
  }

  /** {@code exit}: no further command runs here. */
  void stop(int code) {
    if (!stopped) {
      stopped = true;
      exitCode = code;
    }
  }

  /** A signal for everything that runs here, after which no further command does. */
  void kill(int signal) {
    killed = true;
    stop(128 + signal);
    signal(signal);
  }

  /** A built-in waits: {@code giveUp} ends that at a signal. Null when it waits no more. */
  void waits(@Nullable Runnable giveUp) {
    wait = giveUp;
  }

  void signal(int signal) {
    Runnable giveUp = wait;
    if (giveUp != null) {
      wait = null;
      giveUp.run();
    }
    for (ProcessContext.Child child : List.copyOf(children)) {
      child.signal(signal);
    }
    for (Frame frame : List.copyOf(inner)) {
      frame.kill(signal);
    }
  }

  /** All children here and in inner frames. */
  List<ProcessContext.Child> allChildren() {
    List<ProcessContext.Child> all = new ArrayList<>(children);
    inner.forEach(frame -> all.addAll(frame.allChildren()));
    return all;
  }

  boolean isStopped() {
    return stopped;
  }

  /** Whether a signal stopped it, and no {@code exit}. */
  boolean isKilled() {
    return killed;
  }

  int exitCode() {
    return exitCode;
  }
}
