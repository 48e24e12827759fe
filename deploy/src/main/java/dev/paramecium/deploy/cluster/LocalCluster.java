package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A cluster of JVMs on this machine: one control plane, and one for each node or for several.
 *
 * <p>All JVMs start at once; each waits for what it needs. The state is under {@code home}: {@code
 * cluster.json}, {@code kubeconfig}, {@code logs/}, and the API server's journal in {@code
 * control-plane/}.
 */
public final class LocalCluster {

  /** The cluster's own TCP (Artery), on the address of the first node of each JVM. */
  public static final int CLUSTER_PORT = 25520;

  /** Blocks of loopback addresses that this process has taken. */
  private static final Map<Ipv4Address, DatagramSocket> RESERVATIONS = new ConcurrentHashMap<>();

  /** VXLAN, on each node's own address. */
  public static final int VXLAN_PORT = 8472;

  /** For a small cluster; a node of a large one may take as long again as it takes a busy core. */
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  private static final Duration START_LIMIT_PER_NODE = Duration.ofSeconds(1);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(8);

  private final Path home;
  private final Topology topology;
  private final ApiSecurity security;
  private final String apiServer;
  private final List<Member> members = new ArrayList<>();

  private record Member(
      ClusterFile.Process record,
      java.lang.Process process,
      Path log,
      List<String> jvmOptions,
      List<String> arguments) {}

  private final Instant startedAt;

  private LocalCluster(Path home, Topology topology, ApiSecurity security) {
    this.home = home;
    this.topology = topology;
    this.security = security;
    this.apiServer = security.scheme() + "://" + topology.apiAddress() + ":" + topology.apiPort();
    // What the API server kept from the last time says Ready, too; heartbeats have whole seconds.
    this.startedAt = Instant.now().truncatedTo(ChronoUnit.SECONDS);
  }

  /** The API server's URL. */
  public String apiServer() {
    return apiServer;
  }

  public Topology topology() {
    return topology;
  }

  /** Starts a cluster whose API server speaks plain HTTP on loopback. */
  public static LocalCluster start(
      Path home, Topology topology, String controlPlaneAddress, Consumer<String> progress) {
    return start(home, topology, ApiSecurity.NONE, controlPlaneAddress, progress);
  }

  /**
   * Starts every process and returns at once; {@link #awaitReady} waits.
   *
   * @param controlPlaneAddress where the control plane's own TCP listens
   * @throws UserError if a port is taken or a cluster runs already
   */
  public static LocalCluster start(
      Path home,
      Topology topology,
      ApiSecurity security,
      String controlPlaneAddress,
      Consumer<String> progress) {
    Optional<ClusterFile> existing = ClusterFile.read(home);
    if (existing.isPresent()) {
      long alive = existing.get().processes().stream().filter(p -> p.handle().isPresent()).count();
      if (alive > 0) {
        throw new UserError(
            UserError.FAILED,
            "a cluster runs already ("
                + alive
                + " processes, state in "
                + home
                + "). Stop it with 'paramecium down'.");
      }
      progress.accept("cleaning up after a cluster that ended without 'paramecium down'");
      ClusterFile.delete(home);
    }
    requireFreeTcp(topology.apiAddress(), topology.apiPort(), "the API server");
    requireFreeTcp(controlPlaneAddress, CLUSTER_PORT, "the control plane's cluster link");
    for (List<Topology.Node> nodes : topology.jvms()) {
      Topology.Node first = nodes.getFirst();
      requireFreeTcp(first.address().toString(), CLUSTER_PORT, first.name() + "'s cluster link");
    }
    for (Topology.Node node : topology.nodes()) {
      requireFreeUdp(node.address(), node.name() + "'s VXLAN");
    }
    World world = topology.world();
    if (world != null) {
      requireFreeTcp(world.gateway().toString(), CLUSTER_PORT, "the gateway's cluster link");
      requireFreeUdp(world.gateway(), "the gateway's eth0");
    }
    LocalCluster cluster = new LocalCluster(home, topology, security);
    if (security.tls()) {
      var _ = ApiSecurity.open(home, topology.apiAddress());
    }
    cluster.spawn(controlPlaneAddress);
    return cluster;
  }

  private void spawn(String controlPlaneAddress) {
    JavaCommand java = JavaCommand.ofThisJvm();
    Path logs = home.resolve("logs");
    List<String> controlPlane = new ArrayList<>();
    controlPlane.addAll(
        List.of(
            "control-plane",
            "--advertise",
            controlPlaneAddress,
            "--api-address",
            topology.apiAddress(),
            "--api-port",
            Integer.toString(topology.apiPort()),
            "--cluster-name",
            topology.clusterName(),
            "--state-dir",
            home.resolve("control-plane").toString(),
            "--home",
            home.toString()));
    controlPlane.addAll(security.toArguments());
    controlPlane.addAll(topology.options().toArguments());
    members.add(
        launch(
            java,
            JvmOptions.ofControlPlane(topology.nodes().size()),
            "control-plane",
            "control-plane",
            controlPlaneAddress,
            List.of(),
            controlPlane,
            logs.resolve("control-plane.log")));
    for (List<Topology.Node> nodes : topology.jvms()) {
      List<String> arguments = new ArrayList<>();
      List<String> names = nodes.stream().map(Topology.Node::name).toList();
      arguments.addAll(
          List.of(
              "node",
              "--name",
              String.join(",", names),
              "--ip",
              String.join(",", nodes.stream().map(node -> node.address().toString()).toList()),
              "--join",
              controlPlaneAddress + ":" + CLUSTER_PORT,
              "--cluster-name",
              topology.clusterName(),
              "--on-stop",
              "keep"));
      World outside = topology.world();
      if (outside != null) {
        arguments.addAll(List.of("--gateway", outside.gateway().toString()));
      }
      arguments.addAll(topology.options().toArguments());
      members.add(
          launch(
              java,
              JvmOptions.ofNodes(nodes.size()),
              "node",
              processName(names),
              nodes.getFirst().address().toString(),
              names,
              arguments,
              logs.resolve(processName(names) + ".log")));
    }
    World world = topology.world();
    if (world != null) {
      members.add(launchWorld(java, world, controlPlaneAddress, logs.resolve("world.log")));
    }
    save();
  }

  private Member launchWorld(JavaCommand java, World world, String controlPlaneAddress, Path log) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "world",
                "run",
                "--gateway",
                world.gateway().toString(),
                "--load-balancer-node",
                topology.nodes().getFirst().address().toString(),
                "--join",
                controlPlaneAddress + ":" + CLUSTER_PORT,
                "--cluster-name",
                topology.clusterName()));
    world.hosts().forEach(host -> arguments.addAll(List.of("--host", host.toString())));
    arguments.addAll(topology.options().toArguments());
    return launch(
        java,
        JvmOptions.ofWorld(),
        "world",
        "world",
        world.gateway().toString(),
        List.of(),
        arguments,
        log);
  }

  private static String processName(List<String> nodes) {
    return nodes.size() == 1 ? nodes.getFirst() : nodes.getFirst() + "+" + (nodes.size() - 1);
  }

  /**
   * Starts a process again with the arguments that it had, in place of one that has ended.
   *
   * @param name {@code control-plane}, or a node: those that share its JVM start with it
   */
  public void restart(String name) {
    Member old =
        members.stream()
            .filter(member -> member.record().runs(name))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no member is called " + name));
    int place = members.indexOf(old);
    members.set(
        place,
        launch(
            JavaCommand.ofThisJvm(),
            old.jvmOptions(),
            old.record().role(),
            old.record().name(),
            old.record().address(),
            old.record().nodes(),
            old.arguments(),
            old.log()));
    save();
  }

  private Member launch(
      JavaCommand java,
      List<String> jvmOptions,
      String role,
      String name,
      String address,
      List<String> nodes,
      List<String> arguments,
      Path log) {
    java.lang.Process process = java.start(jvmOptions, arguments, log);
    Instant startedAt =
        process.toHandle().info().startInstant().orElseGet(() -> Instant.ofEpochSecond(0));
    return new Member(
        new ClusterFile.Process(
            role,
            name,
            address,
            nodes,
            process.pid(),
            startedAt,
            java.of(jvmOptions, arguments),
            log.toString()),
        process,
        log,
        jvmOptions,
        List.copyOf(arguments));
  }

  private void save() {
    new ClusterFile(apiServer, members.stream().map(Member::record).toList()).write(home);
    try {
      // It may hold the administrator's key.
      Files.deleteIfExists(kubeconfig(home));
      Files.createFile(
          kubeconfig(home),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(
          kubeconfig(home), ApiSecurity.kubeconfig(home, apiServer, topology.clusterName()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + kubeconfig(home), e);
    }
  }

  /**
   * Waits until the API server answers and every node is Ready.
   *
   * @throws UserError if a process dies or the time limit passes; the message has the end of its
   *     log
   */
  public void awaitReady(Consumer<String> progress) {
    ApiHttp api = ApiSecurity.client(apiServer, home);
    AtomicBoolean answered = new AtomicBoolean();
    AtomicLong told = new AtomicLong(-1);
    Duration limit = START_LIMIT.plus(START_LIMIT_PER_NODE.multipliedBy(topology.nodes().size()));
    Waiting.until(
        limit,
        () -> {
          requireAllAlive();
          if (!answered.get() && api.isReady()) {
            answered.set(true);
            progress.accept("API server answers on " + apiServer);
          }
          if (!answered.get()) {
            return false;
          }
          long ready = api.readyNodesSince(startedAt);
          if (told.getAndSet(ready) != ready) {
            progress.accept(ready + " of " + topology.nodes().size() + " nodes Ready");
          }
          return ready >= topology.nodes().size() && isWorldUp(api);
        },
        () ->
            "the cluster was not ready after "
                + limit.toSeconds()
                + " s. Logs are in "
                + home.resolve("logs")
                + ".");
  }

  private boolean isWorldUp(ApiHttp api) {
    World world = topology.world();
    return world == null || world.hosts().stream().allMatch(host -> api.hasWorldHost(host.name()));
  }

  private void requireAllAlive() {
    for (Member member : members) {
      if (!member.process().isAlive()) {
        throw new UserError(
            UserError.FAILED,
            member.record().name()
                + " ended with exit code "
                + member.process().exitValue()
                + ": "
                + lastLine(member.log())
                + " (log: "
                + member.log()
                + ")");
      }
    }
  }

  private static String lastLine(Path log) {
    try {
      List<String> lines = Files.readAllLines(log);
      for (int i = lines.size() - 1; i >= 0; i--) {
        if (!lines.get(i).isBlank()) {
          return lines.get(i).strip();
        }
      }
    } catch (IOException _) {
      // The log is for the person; that it cannot be read is not what they asked about.
    }
    return "it said nothing";
  }

  /** The operating system's ids of the processes, control plane first. */
  public List<Long> pids() {
    return members.stream().map(member -> member.record().pid()).toList();
  }

  /**
   * Ends {@code home}'s processes at once, without letting them say goodbye: for a cluster whose
   * state is thrown away.
   */
  public static void kill(Path home) {
    ClusterFile.read(home)
        .ifPresent(
            file -> {
              List<ProcessHandle> alive =
                  file.processes().stream().flatMap(process -> process.handle().stream()).toList();
              alive.forEach(ProcessHandle::destroyForcibly);
              alive.forEach(handle -> handle.onExit().join());
            });
    ClusterFile.delete(home);
  }

  /** Stops this cluster's processes. */
  public void stop() {
    stop(home, _ -> {});
  }

  /**
   * Stops what {@code home}'s cluster file names, also what a crash left, and deletes the file. The
   * API server's journal stays.
   *
   * @return how many processes were still running
   */
  public static int stop(Path home, Consumer<String> progress) {
    Optional<ClusterFile> file = ClusterFile.read(home);
    if (file.isEmpty()) {
      return 0;
    }
    List<ProcessHandle> alive = new ArrayList<>();
    for (ClusterFile.Process process : file.get().processes()) {
      process
          .handle()
          .ifPresent(
              handle -> {
                progress.accept("stopping " + process.name() + " (pid " + process.pid() + ")");
                if (LocalMachine.state(process.pid()) == 'T') {
                  handle.destroyForcibly(); // paused: it hears nothing else
                } else {
                  handle.destroy();
                }
                alive.add(handle);
              });
    }
    Instant limit = Instant.now().plus(STOP_LIMIT);
    for (ProcessHandle handle : alive) {
      long left = Math.max(1, Duration.between(Instant.now(), limit).toMillis());
      try {
        handle.onExit().get(left, TimeUnit.MILLISECONDS);
      } catch (java.util.concurrent.TimeoutException | java.util.concurrent.ExecutionException e) {
        handle.destroyForcibly();
        handle.onExit().join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        handle.destroyForcibly();
      }
    }
    ClusterFile.delete(home);
    return alive.size();
  }

  public static Path kubeconfig(Path home) {
    return home.resolve("kubeconfig");
  }

  private static void requireFreeTcp(String address, int port, String what) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getByName(address), port));
    } catch (IOException e) {
      throw occupied("TCP", address, port, what, e);
    }
  }

  private static void requireFreeUdp(Ipv4Address address, String what) {
    try (DatagramSocket socket = new DatagramSocket(null)) {
      socket.bind(new InetSocketAddress(InetAddress.getByName(address.toString()), VXLAN_PORT));
    } catch (IOException e) {
      throw occupied("UDP", address.toString(), VXLAN_PORT, what, e);
    }
  }

  private static UserError occupied(
      String protocol, String address, int port, String what, IOException e) {
    return new UserError(
        UserError.FAILED,
        protocol
            + " port "
            + port
            + " on "
            + address
            + ", which "
            + what
            + " needs, cannot be used ("
            + e.getMessage()
            + "). Stop what holds it, or choose another in a cluster file (up -f).");
  }

  /**
   * The first of the loopback blocks 127.B.0.0 in which nothing holds the cluster's ports; nodes
   * take .2 and up. The block is this process's until it ends: another that looks at the same time
   * takes the next.
   */
  public static Ipv4Address freeLoopbackBlock(int nodes) {
    for (int block = 60; block < 255; block++) {
      Ipv4Address base = Ipv4Address.parse("127." + block + ".0.1");
      boolean free = true;
      for (int i = 0; i <= nodes && free; i++) {
        free = isFree(base.plus(i));
      }
      if (free && reserve(base)) {
        return base;
      }
    }
    throw new UserError(
        UserError.FAILED,
        "no free block of loopback addresses between 127.60.0.0 and 127.254.0.0. Stop other"
            + " clusters first.");
  }

  /** Gives back a block before the process ends. */
  static void releaseLoopbackBlock(Ipv4Address block) {
    DatagramSocket held = RESERVATIONS.remove(block);
    if (held != null) {
      held.close();
    }
  }

  /** Holds the UDP port of the cluster link's number, which nobody needs. */
  private static boolean reserve(Ipv4Address block) {
    try {
      InetAddress address = InetAddress.getByName(block.toString());
      RESERVATIONS.put(block, new DatagramSocket(new InetSocketAddress(address, CLUSTER_PORT)));
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static boolean isFree(Ipv4Address address) {
    try {
      requireFreeTcp(address.toString(), CLUSTER_PORT, "");
      requireFreeUdp(address, "");
      return true;
    } catch (UserError e) {
      return false;
    }
  }

  /** A TCP port on 127.0.0.1 that nothing listens on now. */
  public static int freePort() {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0));
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UserError(
          UserError.FAILED, "no free TCP port on 127.0.0.1: " + e.getMessage() + ".");
    }
  }
}
