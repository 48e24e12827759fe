package dev.paramecium.container.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.image.Image;
import dev.paramecium.container.image.Images;
import dev.paramecium.container.stack.NetworkStack;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.LinkInfo;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/** Hosts on one Ethernet segment in virtual time: each has a stack and an image's processes. */
public final class VirtualNetwork {

  /** How long a frame takes from one host to the others. */
  public static final long LATENCY_NS = 50_000;

  private record Delivery(long atNs, Host to, byte[] frame) {}

  /** Time that only this network moves. */
  public static final class VirtualClock implements Clock {
    private long nanos = 86_400_000_000_000L;

    @Override
    public long nanos() {
      return nanos;
    }

    @Override
    public long epochMs() {
      return 1_673_292_592_000L + (nanos - 86_400_000_000_000L) / 1_000_000;
    }
  }

  public final VirtualClock clock = new VirtualClock();
  public final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 65536);
  private final List<Host> hosts = new ArrayList<>();
  private final Deque<Delivery> inFlight = new ArrayDeque<>();

  /** A host at 10.0.0.N/24 that runs {@code image}'s programs. */
  public Host host(String name, int number, String image) {
    return host(name, number, image, List.of());
  }

  public Host host(String name, int number, String image, List<ContainerSpec.Port> ports) {
    Host host = new Host(name, number, image, ports);
    hosts.add(host);
    return host;
  }

  public final class Host {
    public final NetworkStack stack;
    public final ProcessTable processes;
    public final Image image;
    public final ContainerSpec spec;

    private Host(String name, int number, String imageName, List<ContainerSpec.Port> ports) {
      RandomSource random = RandomSource.seeded(number);
      stack = new NetworkStack(name, clock, random, pool, this::transmit);
      MacAddress mac = MacAddress.locallyAdministered(number);
      stack.addInterface(
          new LinkInfo(2, "eth0", LinkInfo.Kind.ETHERNET, mac, 1500, 0, name, ""), false);
      stack.addAddress(2, Ipv4Address.parse("10.0.0." + number), 24);
      spec =
          new ContainerSpec(
              name, name, "default/" + name, "c", imageName, List.of(), List.of(), Map.of(), ports);
      image = Images.find(spec);
      FileSystem files = new FileSystem();
      files.write("/etc/hosts", "10.0.0.2 server\n".getBytes(StandardCharsets.UTF_8));
      processes =
          new ProcessTable(
              name,
              image.path(Map.of(Probe.NAME, new Probe())),
              Map.of("PATH", "/bin", "HOSTNAME", name),
              files,
              new NamespaceServices(stack, stack, clock, random, Runnable::run, new CpuTime()),
              new PidNamespace(100));
    }

    private void transmit(int ifindex, SkBuff frame) {
      byte[] bytes = frame.toByteArray();
      pool.release(frame);
      for (Host other : hosts) {
        if (other != this) {
          inFlight.add(new Delivery(clock.nanos + LATENCY_NS, other, bytes));
        }
      }
    }

    /** Starts a command and lets the network go on until it exits, for at most a virtual hour. */
    public Run run(String... argv) {
      Run run = start(argv);
      run.await();
      return run;
    }

    public Run start(String... argv) {
      return new Run(this, List.of(argv), false);
    }

    public Run startWithInput(String... argv) {
      return new Run(this, List.of(argv), true);
    }

    /** Runs what the image runs by default, in the background. */
    public Run serve() {
      Run run = new Run(this, image.commandLine(spec), false);
      settle();
      return run;
    }
  }

  /** A command that runs or ran. */
  public final class Run {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    public final RunningProcess process;
    public Integer exitCode;

    private Run(Host host, List<String> argv, boolean stdin) {
      process =
          host.processes.start(
              argv,
              stdin,
              false,
              (stream, bytes) -> {
                (stream == 1 ? out : err).writeBytes(bytes);
                return true;
              },
              code -> exitCode = code);
      assertThat(process).as("%s is in PATH", argv).isNotNull();
    }

    public Run await() {
      long limit = clock.nanos + 3_600_000_000_000L;
      while (exitCode == null && clock.nanos < limit && step()) {}
      assertThat(exitCode)
          .as("exit of %s, stdout %s, stderr %s", process.argv(), out(), err())
          .isNotNull();
      return this;
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

    public int exitCode() {
      return exitCode;
    }
  }

  /** Moves to the next event; false if there is none. */
  public boolean step() {
    long next = inFlight.isEmpty() ? Long.MAX_VALUE : inFlight.peek().atNs;
    for (Host host : hosts) {
      next = Math.min(next, host.stack.nextDeadlineNanos());
    }
    if (next == Long.MAX_VALUE) {
      return false;
    }
    clock.nanos = Math.max(clock.nanos, next);
    while (!inFlight.isEmpty() && inFlight.peek().atNs <= clock.nanos) {
      Delivery delivery = inFlight.poll();
      SkBuff frame = pool.take();
      frame.setBytes(delivery.frame, 0, delivery.frame.length);
      delivery.to.stack.receive(2, frame);
    }
    for (Host host : hosts) {
      if (host.stack.nextDeadlineNanos() <= clock.nanos) {
        host.stack.runTimers();
      }
    }
    return true;
  }

  /** Lets the network go on for a while. */
  public void pass(long ms) {
    long until = clock.nanos + ms * 1_000_000;
    while (true) {
      long next = inFlight.isEmpty() ? Long.MAX_VALUE : inFlight.peek().atNs;
      for (Host host : hosts) {
        next = Math.min(next, host.stack.nextDeadlineNanos());
      }
      if (next > until) {
        clock.nanos = until;
        return;
      }
      step();
    }
  }

  private void settle() {
    pass(10);
  }
}
