package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.addons.Addons;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.apiserver.ClusterApi;
import dev.paramecium.apiserver.access.Access;
import dev.paramecium.apiserver.rest.RestServer;
import dev.paramecium.chaos.ChaosControllers;
import dev.paramecium.chaos.JournalDisk;
import dev.paramecium.chaos.Machine;
import dev.paramecium.chaos.Warden;
import dev.paramecium.controller.Controller;
import dev.paramecium.controller.Controllers;
import dev.paramecium.controller.LoadBalancerAddresses;
import dev.paramecium.controller.NodeLifecycle;
import dev.paramecium.controller.PodGarbageCollector;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.deploy.UserError;
import dev.paramecium.events.EventExpiry;
import dev.paramecium.operator.Operator;
import dev.paramecium.operator.OperatorConfig;
import dev.paramecium.scheduler.Scheduler;
import dev.paramecium.trace.StatusExtension;
import dev.paramecium.trace.TraceExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The control plane: API server, its REST front, scheduler, operator and node lifecycle, in one
 * actor system.
 *
 * @param advertise where its cluster link listens
 * @param machine the processes that faults act on
 * @param home where the certificates are
 * @param stateDir where the journal and the list of known nodes live
 */
public record ControlPlaneProcess(
    Ipv4Address advertise,
    Ipv4Address apiAddress,
    int apiPort,
    ApiSecurity security,
    Path home,
    Path stateDir,
    Machine machine,
    String clusterName,
    Topology.Options options) {

  /**
   * Starts it; the system runs until it is terminated.
   *
   * @throws UserError if a port is taken, or the journal cannot be opened
   */
  public ActorSystem<Void> start() {
    KnownMembers members = new KnownMembers(stateDir.resolve("members"));
    String self = advertise + ":" + LocalCluster.CLUSTER_PORT;
    List<String> seeds = new ArrayList<>(List.of(self));
    seeds.addAll(members.read());
    ActorSystem<Void> system =
        ClusterMember.start(
            Behaviors.setup(
                context -> {
                  context.spawn(members.keep(), "known-members");
                  context.spawn(Succession.create(), "succession");
                  return Behaviors.empty();
                }),
            ClusterMember.config(
                ClusterMember.CONTROL_PLANE,
                List.of(ClusterMember.CONTROL_PLANE),
                clusterName,
                advertise.toString(),
                LocalCluster.CLUSTER_PORT,
                seeds));
    try {
      startServices(system);
    } catch (RestServer.BindFailure | IOException e) {
      system.terminate();
      throw new UserError(UserError.FAILED, String.valueOf(e.getMessage()));
    }
    return system;
  }

  /**
   * Runs it until it is told to stop.
   *
   * @throws UserError if it cannot start, or the cluster does not let it in
   */
  public void run() {
    ClusterMember.awaitEnd(start());
  }

  private Access access(ActorSystem<Void> system, ApiClient api, InstantSource clock)
      throws IOException {
    return security.tls()
        ? Access.secured(
            system, api, ApiSecurity.open(home, apiAddress.toString()), security.rbac(), clock)
        : Access.open();
  }

  private void startServices(ActorSystem<Void> system) throws RestServer.BindFailure, IOException {
    InstantSource clock = InstantSource.system();
    JournalDisk disk = new JournalDisk(clock);
    ActorRef<ApiRequest> server = ClusterApi.host(system, stateDir.resolve("journal"), disk, clock);
    ApiClient api = new ActorApiClient(system, server);
    RestServer rest =
        RestServer.start(
            system,
            api,
            server,
            clock,
            access(system, api, clock),
            List.of(
                new TraceExtension(system),
                StatusExtension.status(system),
                StatusExtension.sync(system)),
            apiAddress.toString(),
            apiPort);
    system.getWhenTerminated().thenRun(rest::close);
    system.systemActorOf(Scheduler.create(api, clock), "scheduler", Props.empty());
    system.systemActorOf(
        Operator.create(
            api,
            OperatorConfig.of(clusterName, options.clusterPoolIpv4Cidr(), options.nodeMaskSize()),
            clock),
        "operator",
        Props.empty());
    system.systemActorOf(
        NodeLifecycle.create(api, clock, NodeLifecycle.GRACE), "node-lifecycle", Props.empty());
    Ipv4Prefix pool = options.loadBalancerIpv4Pool();
    List<Reconciler> cloud = pool == null ? List.of() : List.of(new LoadBalancerAddresses(pool));
    for (List<Reconciler> group : List.of(Controllers.all(), cloud, ChaosControllers.all())) {
      for (Reconciler reconciler : group) {
        system.systemActorOf(
            Controller.create(reconciler, api, clock), reconciler.name(), Props.empty());
      }
    }
    system.systemActorOf(Addons.create(api, options.agent().values()), "addons", Props.empty());
    system.systemActorOf(Warden.create(api, machine, disk, clock), "chaos-warden", Props.empty());
    system.systemActorOf(
        PodGarbageCollector.create(api, clock), "pod-garbage-collector", Props.empty());
    system.systemActorOf(
        EventExpiry.create(api, clock, EventExpiry.PERIOD), "event-expiry", Props.empty());
  }
}
