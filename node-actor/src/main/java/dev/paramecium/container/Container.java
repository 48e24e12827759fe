package dev.paramecium.container;

import dev.paramecium.bpf.Clock;
import dev.paramecium.container.image.Image;
import dev.paramecium.container.process.ProcessTable;
import dev.paramecium.container.process.RunningProcess;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerSpec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** One container of a pod: its processes, of which the first is its life, and its log. */
final class Container {

  private final ContainerSpec spec;
  private final Image image;
  private final ProcessTable processes;
  private final ContainerLog log = new ContainerLog();
  private final ActorRef<ContainerEvent> events;
  private final Clock clock;
  private @Nullable RunningProcess main;
  private Sockets.@Nullable Timer kill;
  private boolean exited;

  Container(
      ContainerSpec spec,
      Image image,
      ProcessTable processes,
      ActorRef<ContainerEvent> events,
      Clock clock) {
    this.spec = spec;
    this.image = image;
    this.processes = processes;
    this.events = events;
    this.clock = clock;
  }

  /** Starts the main process; answers an empty text, or why the runtime could not. */
  String start() {
    List<String> argv = image.commandLine(spec);
    if (!image.note().isEmpty()) {
      write(2, (image.note() + "\n").getBytes(StandardCharsets.UTF_8));
    }
    RunningProcess started = processes.start(argv, false, false, this::write, this::exited);
    if (started == null) {
      return "failed to create containerd task: failed to create shim task: OCI runtime create"
          + " failed: runc create failed: "
          + ProcessTable.notFound(argv);
    }
    main = started;
    events.tell(new ContainerEvent.Started(spec.id(), image.note()));
    return "";
  }

  private boolean write(int stream, byte[] bytes) {
    log.write(stream, bytes, clock.epochMs(), clock.nanos());
    return true;
  }

  private void exited(int code) {
    exited = true;
    if (kill != null) {
      kill.cancel();
    }
    processes.killAll();
    log.close(clock.epochMs(), clock.nanos());
    events.tell(new ContainerEvent.Exited(spec.id(), code, code == 0 ? "Completed" : "Error"));
  }

  /** SIGTERM now, SIGKILL after {@code graceMs}. */
  void stop(long graceMs, Sockets timers) {
    RunningProcess running = main;
    if (running == null || exited || kill != null) {
      return;
    }
    if (graceMs <= 0) {
      running.signal(Signals.SIGKILL);
      return;
    }
    kill = timers.schedule(graceMs, () -> running.signal(Signals.SIGKILL));
    running.signal(Signals.SIGTERM);
  }

  /** The namespace goes: no grace. */
  void kill() {
    processes.killAll();
  }

  boolean hasExited() {
    return exited;
  }

  ContainerLog log() {
    return log;
  }

  ProcessTable processes() {
    return processes;
  }
}
