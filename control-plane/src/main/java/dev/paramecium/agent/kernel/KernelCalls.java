package dev.paramecium.agent.kernel;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.syscall.AgentCall;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.DnsAnswer;
import dev.paramecium.syscall.EndpointConfig;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecResult;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import dev.paramecium.syscall.LinkFault;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.MapEntry;
import dev.paramecium.syscall.MapInfo;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.syscall.VethPair;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * The node's kernel for components that want a future: they pipe it to themselves. A call that
 * fails completes exceptionally with {@link SyscallFailed}; one that gets no answer in time with a
 * {@link java.util.concurrent.TimeoutException}, and whether it took effect is then unknown.
 */
public final class KernelCalls {

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** The kernel said no. */
  public static final class SyscallFailed extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final Errno errno;

    SyscallFailed(Errno errno, String message) {
      super(message, null, false, false);
      this.errno = errno;
    }

    public Errno errno() {
      return errno;
    }
  }

  private final ActorRef<Syscall> kernel;
  private final Scheduler scheduler;

  public KernelCalls(ActorRef<Syscall> kernel, Scheduler scheduler) {
    this.kernel = kernel;
    this.scheduler = scheduler;
  }

  /** The kernel itself, for calls that stream. */
  public ActorRef<Syscall> kernel() {
    return kernel;
  }

  public CompletionStage<Done> createNetns(String netns) {
    return call(replyTo -> new Syscall.CreateNetns(netns, replyTo));
  }

  public CompletionStage<Done> deleteNetns(String netns) {
    return gone(call(replyTo -> new Syscall.DeleteNetns(netns, replyTo)));
  }

  public CompletionStage<VethPair> createVeth(String name, String netns, String peerName, int mtu) {
    return call(replyTo -> new Syscall.CreateVeth(name, netns, peerName, mtu, replyTo));
  }

  public CompletionStage<Done> deleteLink(String name) {
    return gone(call(replyTo -> new Syscall.DeleteLink(name, replyTo)));
  }

  public CompletionStage<Done> configurePodInterface(
      String netns, String ifname, Ipv4Address address, Ipv4Address gateway, int mtu) {
    return call(
        replyTo ->
            new Syscall.ConfigurePodInterface(netns, ifname, address, gateway, mtu, replyTo));
  }

  public CompletionStage<Done> replaceRoute(Ipv4Prefix prefix, Ipv4Address gateway, String device) {
    return call(replyTo -> new Syscall.ReplaceRoute(prefix, gateway, device, replyTo));
  }

  public CompletionStage<Done> deleteRoute(Ipv4Prefix prefix) {
    return gone(call(replyTo -> new Syscall.DeleteRoute(prefix, replyTo)));
  }

  public CompletionStage<Done> replaceLinkFaults(
      String netns, String device, List<LinkFault> faults, long seed) {
    return call(replyTo -> new Syscall.ReplaceLinkFaults(netns, device, faults, seed, replyTo));
  }

  public CompletionStage<List<LinkInfo>> listLinks() {
    return call(Syscall.ListLinks::new);
  }

  public CompletionStage<Done> loadNodeDatapath(DatapathConfig config) {
    return call(replyTo -> new Syscall.LoadNodeDatapath(config, replyTo));
  }

  public CompletionStage<Done> nameIdentities(Map<Integer, List<String>> labels) {
    return call(replyTo -> new Syscall.NameIdentities(labels, replyTo));
  }

  public CompletionStage<Done> serveAgentSocket(ActorRef<AgentCall> agent) {
    return call(replyTo -> new Syscall.ServeAgentSocket(agent, replyTo));
  }

  public CompletionStage<Done> configureProxy(ProxyConfig config, ActorRef<DnsAnswer> agent) {
    return call(replyTo -> new Syscall.ConfigureProxy(config, agent, replyTo));
  }

  public CompletionStage<Integer> loadEndpointDatapath(EndpointConfig config) {
    return call(replyTo -> new Syscall.LoadEndpointDatapath(config, replyTo));
  }

  public CompletionStage<Done> unloadEndpointDatapath(int endpointId) {
    return gone(call(replyTo -> new Syscall.UnloadEndpointDatapath(endpointId, replyTo)));
  }

  public CompletionStage<Done> updateMap(String map, List<MapEntry> upserts, List<byte[]> deletes) {
    return call(replyTo -> new Syscall.UpdateMap(map, upserts, deletes, replyTo));
  }

  public CompletionStage<Done> fillMap(String map, boolean full) {
    return call(replyTo -> new Syscall.FillMap(map, full, replyTo));
  }

  public CompletionStage<List<MapEntry>> dumpMap(String map) {
    return call(replyTo -> new Syscall.DumpMap(map, replyTo));
  }

  public CompletionStage<List<MapInfo>> listMaps() {
    return call(Syscall.ListMaps::new);
  }

  public CompletionStage<Done> startContainer(ContainerSpec spec, ActorRef<ContainerEvent> events) {
    return call(replyTo -> new Syscall.StartContainer(spec, events, replyTo));
  }

  public CompletionStage<Done> stopContainer(String containerId, long graceMs) {
    return gone(call(replyTo -> new Syscall.StopContainer(containerId, graceMs, replyTo)));
  }

  public CompletionStage<Done> removeContainer(String containerId) {
    return gone(call(replyTo -> new Syscall.RemoveContainer(containerId, replyTo)));
  }

  public CompletionStage<Done> writeFile(String containerId, String path, byte[] bytes) {
    return writeFiles(containerId, Map.of(path, bytes), Set.of());
  }

  public CompletionStage<Done> writeFiles(
      String containerId, Map<String, byte[]> files, Set<String> removed) {
    return call(replyTo -> new Syscall.WriteFiles(containerId, files, removed, replyTo));
  }

  /** Takes at most {@code timeout}; ETIMEDOUT then. */
  public CompletionStage<ExecResult> execSync(
      String containerId, List<String> argv, Duration timeout) {
    return call(
        replyTo -> new Syscall.ExecSync(containerId, argv, timeout.toMillis(), replyTo),
        timeout.plus(TIMEOUT));
  }

  /** Takes at most the request's timeout. */
  public CompletionStage<HttpReply> httpGet(HttpRequest request) {
    return call(
        replyTo -> new Syscall.HttpGet(request, replyTo), TIMEOUT.plusMillis(request.timeoutMs()));
  }

  /** Takes at most {@code timeout}. */
  public CompletionStage<Done> connectTcp(Ipv4Address address, int port, Duration timeout) {
    return call(
        replyTo -> new Syscall.ConnectTcp(address, port, timeout.toMillis(), replyTo),
        timeout.plus(TIMEOUT));
  }

  /** How long the reply took, in nanoseconds; fails after {@code timeout}. */
  public CompletionStage<Long> ping(Ipv4Address address, Duration timeout) {
    return call(
        replyTo -> new Syscall.Ping(address, timeout.toMillis(), replyTo), timeout.plus(TIMEOUT));
  }

  public CompletionStage<List<ContainerInfo>> listContainers() {
    return call(Syscall.ListContainers::new);
  }

  public CompletionStage<Done> watchContainer(String containerId, ActorRef<ContainerEvent> events) {
    return call(replyTo -> new Syscall.WatchContainer(containerId, events, replyTo));
  }

  public CompletionStage<Map<String, Long>> readCounters() {
    return call(Syscall.ReadCounters::new);
  }

  /** Makes one call. */
  public <T> CompletionStage<T> call(Function<ActorRef<Result<T>>, Syscall> request) {
    return call(request, TIMEOUT);
  }

  private <T> CompletionStage<T> call(
      Function<ActorRef<Result<T>>, Syscall> request, Duration timeout) {
    CompletionStage<Result<T>> answer = AskPattern.ask(kernel, request::apply, timeout, scheduler);
    return answer.thenCompose(
        result ->
            switch (result) {
              case Result.Ok<T> ok -> CompletableFuture.completedFuture(ok.value());
              case Result.Failed<T> failed ->
                  CompletableFuture.failedFuture(
                      new SyscallFailed(failed.errno(), failed.message()));
            });
  }

  /** Deleting what is not there is done. */
  private static CompletionStage<Done> gone(CompletionStage<Done> call) {
    return call.exceptionallyCompose(
        failure ->
            switch (errno(failure)) {
              case ENOENT, ENODEV, ESRCH -> CompletableFuture.completedFuture(Done.done());
              case EPERM,
                  EIO,
                  E2BIG,
                  ENOMEM,
                  EBUSY,
                  EEXIST,
                  EINVAL,
                  ENOSPC,
                  EADDRINUSE,
                  ETIMEDOUT ->
                  CompletableFuture.failedFuture(failure);
            });
  }

  /** Why a call failed; EIO for one that was not answered. */
  public static Errno errno(Throwable failure) {
    return cause(failure) instanceof SyscallFailed failed ? failed.errno() : Errno.EIO;
  }

  /** One sentence for a log line or an event. */
  public static String message(Throwable failure) {
    Throwable cause = cause(failure);
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  private static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
