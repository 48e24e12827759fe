package dev.paramecium.container;

import dev.paramecium.container.image.Image;
import dev.paramecium.container.image.Images;
import dev.paramecium.container.process.ExecSession;
import dev.paramecium.container.process.ExecSync;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.NamespaceServices;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.process.PidNamespace;
import dev.paramecium.container.process.ProcessTable;
import dev.paramecium.container.process.Volume;
import dev.paramecium.container.process.net.Netcat;
import dev.paramecium.container.process.server.Pause;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.ExecResult;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Result;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * A namespace's container runtime: its containers by id, and the sessions of those who run commands
 * in them or read their logs.
 */
final class Containers {

  /** Where sessions are reached from outside. */
  interface Ports {
    ActorRef<ExecInput> open(int session, ActorRef<ExecOutput> client);

    void close(ActorRef<ExecInput> port);
  }

  private sealed interface Session {
    record Command(ExecSession exec) implements Session {}

    record Log(LogSession log) implements Session {}

    record Attached(AttachSession attached) implements Session {}
  }

  private static final String CONNECT = "nc";
  private static final String PAUSE = "pause";

  private static final String SEARCH_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final NamespaceConfig config;
  private final NamespaceServices services;
  private final Ports ports;
  private final ProcessTable host;

  /** What the container runtime itself runs in the namespace. */
  private final ProcessTable runtime;

  private final Map<String, Container> containers = new LinkedHashMap<>();
  private final PodVolumes volumes = new PodVolumes();

  /** The first processes of the PID namespaces that pods have, by the pod's uid. */
  private final Map<String, ProcessTable> pauses = new HashMap<>();

  private final Map<Integer, Session> sessions = new HashMap<>();
  private int lastSession;

  Containers(NamespaceConfig config, NamespaceServices services, Ports ports) {
    this.config = config;
    this.services = services;
    this.ports = ports;
    Map<String, String> env =
        Map.of("PATH", SEARCH_PATH, "HOME", "/root", "USER", "root", "HOSTNAME", config.hostname());
    FileSystem files = new FileSystem();
    writeNames(files, config.hostname());
    this.host =
        new ProcessTable(
            config.hostname(), config.hostTools(), env, files, services, new PidNamespace(1000));
    // From 2: the end of a forwarded connection must not be an init's, which ends all the others.
    this.runtime =
        new ProcessTable(
            config.hostname(),
            Map.of(CONNECT, Netcat::start),
            env,
            files,
            services,
            new PidNamespace(2));
  }

  Result<Done> start(ContainerSpec spec, ActorRef<ContainerEvent> events) {
    if (containers.containsKey(spec.id())) {
      return Result.failed(
          Errno.EEXIST,
          "container " + spec.id() + " exists: remove it before its id is used again");
    }
    Image image = Images.find(spec);
    String hostname = onHost() ? config.hostname() : podHostname(spec);
    Map<String, String> env = new HashMap<>(Map.of("PATH", SEARCH_PATH, "HOME", "/root"));
    env.putAll(image.env());
    env.putAll(spec.env());
    env.putIfAbsent("HOSTNAME", hostname);
    FileSystem files = new FileSystem();
    writeNames(files, hostname);
    volumes.mount(spec, files);
    spec.files().forEach(files::write);
    PidNamespace pids = spec.podPids() ? podPids(spec) : new PidNamespace(1);
    if (!spec.pidsOf().isEmpty()) {
      Container target = containers.get(spec.pidsOf());
      if (target == null || target.hasExited()) {
        return Result.failed(
            Errno.ESRCH, "its target container " + spec.pidsOf() + " is not running");
      }
      pids = target.processes().pids();
    }
    ProcessTable processes =
        new ProcessTable(hostname, image.path(tools()), env, files, services, pids);
    Container container = new Container(spec, image, processes, events, config.clock());
    String refusal = container.start();
    if (!refusal.isEmpty()) {
      return Result.failed(Errno.ENOENT, refusal);
    }
    containers.put(spec.id(), container);
    return Result.ok(Done.getInstance());
  }

  /** The PID namespace of a pod, with its process 1. */
  private PidNamespace podPids(ContainerSpec spec) {
    return pauses
        .computeIfAbsent(
            spec.podUid(),
            _ -> {
              ProcessTable pause =
                  new ProcessTable(
                      podHostname(spec),
                      Map.of(PAUSE, Pause::start),
                      Map.of("PATH", SEARCH_PATH),
                      new FileSystem(),
                      services,
                      new PidNamespace(1));
              pause.start(List.of("/" + PAUSE), false, false, (_, _) -> true, _ -> {});
              return pause;
            })
        .pids();
  }

  private static String podHostname(ContainerSpec spec) {
    return spec.podName().substring(spec.podName().indexOf('/') + 1);
  }

  private boolean onHost() {
    return config.name().isEmpty();
  }

  /** In the node's own namespace a container finds the node's tools, as under chroot /host. */
  private Map<String, Executable> tools() {
    if (!onHost()) {
      return config.podTools();
    }
    Map<String, Executable> tools = new HashMap<>(config.podTools());
    tools.putAll(config.hostTools());
    return tools;
  }

  /** What kubelet mounts into every container. */
  private void writeNames(FileSystem files, String hostname) {
    StringBuilder hosts = new StringBuilder("# Kubernetes-managed hosts file.\n");
    hosts
        .append("127.0.0.1\tlocalhost\n")
        .append("::1\tlocalhost ip6-localhost ip6-loopback\n")
        .append("fe00::0\tip6-localnet\n")
        .append("fe00::0\tip6-mcastprefix\n")
        .append("fe00::1\tip6-allnodes\n")
        .append("fe00::2\tip6-allrouters\n");
    for (NamespaceView.Address address : services.view().addresses()) {
      if (!address.device().equals("lo")) {
        hosts.append(address.address()).append('\t').append(hostname).append('\n');
      }
    }
    files.write("/etc/hosts", hosts.toString().getBytes(StandardCharsets.UTF_8));
    files.write("/etc/hostname", (hostname + "\n").getBytes(StandardCharsets.UTF_8));
  }

  Result<Done> stop(String id, long graceMs) {
    Container container = containers.get(id);
    if (container == null) {
      return missing(id);
    }
    container.stop(graceMs, services.sockets());
    return Result.ok(Done.getInstance());
  }

  Result<Done> remove(String id) {
    Container container = containers.get(id);
    if (container == null) {
      return missing(id);
    }
    if (!container.hasExited()) {
      return Result.failed(
          Errno.EBUSY, "container " + id + " runs: stop it and wait for its exit first");
    }
    containers.remove(id);
    List<ContainerSpec> left = containers.values().stream().map(Container::spec).toList();
    volumes.keep(left);
    String pod = container.spec().podUid();
    if (left.stream().noneMatch(spec -> spec.podPids() && spec.podUid().equals(pod))) {
      ProcessTable pause = pauses.remove(pod);
      if (pause != null) {
        pause.killAll();
      }
    }
    return Result.ok(Done.getInstance());
  }

  /** Writes files into a container, and removes others. */
  Result<Done> write(String id, Map<String, byte[]> written, Set<String> removed) {
    Container container = containers.get(id);
    if (container == null) {
      return missing(id);
    }
    FileSystem files = container.processes().files();
    removed.forEach(files::remove);
    for (Map.Entry<String, byte[]> file : written.entrySet()) {
      if (!files.write(file.getKey(), file.getValue())) {
        return Result.failed(
            Errno.ENOSPC,
            file.getKey() + ": the files of a container may have " + Volume.CAPACITY + " bytes");
      }
    }
    return Result.ok(Done.getInstance());
  }

  private Result<Done> missing(String id) {
    return Result.failed(Errno.ENOENT, noContainer(id));
  }

  private String noContainer(String id) {
    return "no container " + id + " in namespace " + config.name();
  }

  void exec(ExecRequest request, ActorRef<ExecOutput> client) {
    ProcessTable processes = host;
    if (!request.containerId().isEmpty()) {
      Container container = running(request.containerId(), client);
      if (container == null) {
        return;
      }
      processes = container.processes();
    }
    open(processes, request, client);
  }

  /** A container that runs, or null after {@code client} was told why it is none. */
  private @Nullable Container running(String id, ActorRef<ExecOutput> client) {
    Container container = containers.get(id);
    if (container == null) {
      client.tell(new ExecOutput.Refused(Errno.ENOENT, noContainer(id)));
      return null;
    }
    if (container.hasExited()) {
      client.tell(new ExecOutput.Refused(Errno.ESRCH, "container " + id + " is not running"));
      return null;
    }
    return container;
  }

  /** Runs a command to its end. */
  void execSync(
      String id, List<String> argv, long timeoutMs, ActorRef<Result<ExecResult>> replyTo) {
    Container container = containers.get(id);
    if (container == null) {
      replyTo.tell(Result.failed(Errno.ENOENT, noContainer(id)));
    } else if (container.hasExited()) {
      replyTo.tell(Result.failed(Errno.ESRCH, "container " + id + " is not running"));
    } else {
      ExecSync.start(container.processes(), argv, timeoutMs, services.sockets(), replyTo);
    }
  }

  /** Joins a container's main process. */
  void attach(String id, ActorRef<ExecOutput> client) {
    Container container = running(id, client);
    if (container != null) {
      int number = ++lastSession;
      ActorRef<ExecInput> port = ports.open(number, client);
      client.tell(new ExecOutput.Started(port));
      AttachSession session = new AttachSession(container, client, () -> end(number, port));
      sessions.put(number, new Session.Attached(session));
      container.attach(session);
    }
  }

  List<ContainerInfo> list() {
    return containers.values().stream().map(Container::info).toList();
  }

  Result<Done> watch(String id, ActorRef<ContainerEvent> events) {
    Container container = containers.get(id);
    if (container == null) {
      return missing(id);
    }
    container.watch(events);
    return Result.ok(Done.getInstance());
  }

  /** Connects to a port of the namespace's own loopback address, for one client. */
  void forwardPort(int port, ActorRef<ExecOutput> client) {
    open(
        runtime,
        new ExecRequest("", List.of(CONNECT, "127.0.0.1", Integer.toString(port)), true, false),
        client);
  }

  private void open(ProcessTable processes, ExecRequest request, ActorRef<ExecOutput> client) {
    int number = ++lastSession;
    ActorRef<ExecInput> port = ports.open(number, client);
    Runnable ended = () -> end(number, port);
    ExecSession session = ExecSession.start(processes, request, client, port, ended);
    if (session == null) {
      ports.close(port);
    } else {
      sessions.put(number, new Session.Command(session));
    }
  }

  void readLog(LogRequest request, ActorRef<ExecOutput> client) {
    Container container = containers.get(request.containerId());
    if (container == null) {
      client.tell(new ExecOutput.Refused(Errno.ENOENT, noContainer(request.containerId())));
      return;
    }
    int number = ++lastSession;
    ActorRef<ExecInput> port = ports.open(number, client);
    LogSession session = new LogSession(container.log(), request, client, () -> end(number, port));
    sessions.put(number, new Session.Log(session));
    client.tell(new ExecOutput.Started(port));
    session.start();
  }

  private void end(int number, ActorRef<ExecInput> port) {
    sessions.remove(number);
    ports.close(port);
  }

  void input(int number, ExecInput input) {
    switch (session(number)) {
      case Session.Command(ExecSession exec) -> exec.input(input);
      case Session.Log(LogSession log) -> log.input(input);
      case Session.Attached(AttachSession attached) -> attached.input(input);
      case null -> {}
    }
  }

  void clientGone(int number) {
    switch (session(number)) {
      case Session.Command(ExecSession exec) -> exec.clientGone();
      case Session.Log(LogSession log) -> log.clientGone();
      case Session.Attached(AttachSession attached) -> attached.clientGone();
      case null -> {}
    }
  }

  /** A client may speak while its session has just ended. */
  private @Nullable Session session(int number) {
    return sessions.get(number);
  }

  void killAll() {
    host.killAll();
    runtime.killAll();
    pauses.values().forEach(ProcessTable::killAll);
    containers.values().forEach(Container::kill);
  }

  Map<String, Long> counters() {
    long processes = (long) host.size() + runtime.size() + pauses.size();
    for (Container container : containers.values()) {
      processes += container.processes().size();
    }
    return Map.of(
        "containers", (long) containers.size(),
        "processes", processes,
        "sessions", (long) sessions.size());
  }
}
