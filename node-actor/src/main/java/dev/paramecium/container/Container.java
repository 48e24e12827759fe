package dev.paramecium.container;

import dev.paramecium.bpf.Clock;
import dev.paramecium.container.image.Image;
import dev.paramecium.container.process.ProcessTable;
import dev.paramecium.container.process.RunningProcess;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.Terminal;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.ContainerSpec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** One container of a pod: its processes, of which the first is its life, and its log. */
final class Container {

  private final ContainerSpec spec;
  private final Image image;
  private final ProcessTable processes;
  private final ContainerLog log = new ContainerLog();
  private final List<AttachSession> attached = new ArrayList<>();
  private final @Nullable Terminal terminal;
  private ActorRef<ContainerEvent> events;
  private final Clock clock;
  private @Nullable RunningProcess main;
  private Sockets.@Nullable Timer kill;
  private boolean exited;
  private int exitCode;

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
    this.terminal = spec.tty() ? new Terminal(this::write) : null;
  }

  /** Starts the main process; answers an empty text, or why the runtime could not. */
  String start() {
    List<String> argv = image.commandLine(spec);
    if (!image.note().isEmpty()) {
      write(2, (image.note() + "\n").getBytes(StandardCharsets.UTF_8));
    }
    Terminal line = terminal;
    RunningProcess started =
        processes.start(
            argv,
            spec.stdin() != ContainerSpec.Stdin.CLOSED,
            spec.tty(),
            (stream, bytes) -> line == null ? write(stream, bytes) : line.output(bytes),
            this::exited);
    if (started == null) {
      return "failed to create containerd task: failed to create shim task: OCI runtime create"
          + " failed: runc create failed: "
          + ProcessTable.notFound(argv);
    }
    main = started;
    if (line != null) {
      line.attach(started);
    }
    events.tell(new ContainerEvent.Started(spec.id(), image.note()));
    return "";
  }

  private boolean write(int stream, byte[] bytes) {
    log.write(stream, bytes, clock.epochMs(), clock.nanos());
    boolean room = true;
    for (AttachSession session : attached) {
      session.write(stream, bytes);
      room &= !session.isBehind();
    }
    return room;
  }

  private void exited(int code) {
    exited = true;
    exitCode = code;
    if (kill != null) {
      kill.cancel();
    }
    processes.killAll();
    log.close(clock.epochMs(), clock.nanos());
    List.copyOf(attached).forEach(session -> session.exited(code));
    attached.clear();
    tellExit();
  }

  private void tellExit() {
    String reason = exitCode == 0 ? "Completed" : "Error";
    events.tell(new ContainerEvent.Exited(spec.id(), exitCode, reason));
  }

  /** Somebody else hears of it from now on: first how it is. */
  void watch(ActorRef<ContainerEvent> listener) {
    events = listener;
    if (exited) {
      tellExit();
    } else {
      events.tell(new ContainerEvent.Started(spec.id(), image.note()));
    }
  }

  ContainerInfo info() {
    return new ContainerInfo(
        spec,
        !exited,
        exitCode,
        processes.cpuNs(),
        clock.nanos(),
        (long) processes.files().used() + log.size());
  }

  // ---- who is attached

  void attach(AttachSession session) {
    attached.add(session);
  }

  void detach(AttachSession session) {
    attached.remove(session);
    inputEnded();
    caughtUp();
  }

  /** A session has room again; the process goes on when all have. */
  void caughtUp() {
    if (main != null && !exited && attached.stream().noneMatch(AttachSession::isBehind)) {
      main.drained();
    }
  }

  /** What somebody who is attached typed; lost if the container reads no input. */
  void input(byte[] bytes) {
    RunningProcess running = main;
    if (running == null || exited || spec.stdin() == ContainerSpec.Stdin.CLOSED) {
      return;
    }
    if (terminal != null) {
      terminal.input(bytes);
    } else if (bytes.length > 0) {
      running.stdin(bytes);
    }
  }

  /** Somebody who is attached types no more. */
  void inputEnded() {
    if (main != null && spec.stdin() == ContainerSpec.Stdin.ONCE && terminal == null) {
      main.closeStdin();
    }
  }

  void resized(int columns, int rows) {
    if (main != null) {
      main.resized(columns, rows);
    }
  }

  /** SIGTERM now, SIGKILL after {@code graceMs}. */
  void stop(long graceMs, Sockets timers) {
    RunningProcess running = main;
    if (running == null || exited) {
      return;
    }
    if (graceMs <= 0) {
      running.signal(Signals.SIGKILL);
      return;
    }
    if (kill != null) {
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

  ContainerSpec spec() {
    return spec;
  }

  ContainerLog log() {
    return log;
  }

  ProcessTable processes() {
    return processes;
  }
}
