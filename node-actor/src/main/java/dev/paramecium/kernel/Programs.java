package dev.paramecium.kernel;

import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.Hook;
import dev.paramecium.datapath.LoadedProgram;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.ProgramActor;
import dev.paramecium.datapath.trace.Recording;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.lib.ConntrackTimeouts;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.Masquerade;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.NodePortConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.map.PrefilterMaps;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.EndpointConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * Loads object files: every section becomes a program with an id, tail calls go into their arrays,
 * attached ones to an actor at their device's hook. Loading an object again replaces its programs
 * and keeps its maps and actors. The kernel's actor only.
 *
 * <pre>
 *   object --sections--&gt; ProgramTable (ids)
 *                        |-- slot of cilium_calls_*, cilium_call_policy
 *                        `-- ProgramActor at (device, hook): Replace, or spawn and Attach
 * </pre>
 */
final class Programs {

  /** The source of events of the node's own programs. */
  private static final int HOST_ENDPOINT = 1;

  private record At(int ifindex, Hook hook) {}

  private record Attached(ActorRef<ProgramActor.Command> actor, LoadedProgram loaded) {}

  private final ActorContext<Object> context;
  private final NodeDatapath node;
  private final MapTable maps;
  private final SocketPrograms sockets;
  private final ObjectFiles objects;
  private final RandomSource random;
  private final DispatcherSelector dispatcher;
  private final Map<At, Attached> attached = new LinkedHashMap<>();
  private final Map<String, List<LoadedProgram>> byObject = new LinkedHashMap<>();
  private @Nullable ProgramContext programContext;
  private String configuration = "";
  private boolean genericXdp;
  private int actors;

  Programs(
      ActorContext<Object> context,
      NodeDatapath node,
      MapTable maps,
      SocketPrograms sockets,
      ObjectFiles objects,
      RandomSource random,
      DispatcherSelector dispatcher) {
    this.context = context;
    this.node = node;
    this.maps = maps;
    this.sockets = sockets;
    this.objects = objects;
    this.random = random;
    this.dispatcher = dispatcher;
  }

  /** Whether the node's own programs are loaded: an endpoint's need their configuration. */
  boolean isNodeLoaded() {
    return programContext != null;
  }

  /**
   * Loads the node's own programs.
   *
   * @param vxlan null without a tunnel
   */
  void loadNode(
      DatapathConfig config,
      NodeFib fib,
      DevicePort eth0,
      DevicePort host,
      DevicePort net,
      @Nullable DevicePort vxlan) {
    DatapathOptions options = config.options();
    NodeConfig nodeConfig =
        new NodeConfig(
            config.nodeIp().value(),
            config.routerIp().value(),
            Ipv4Prefix.mask(config.podCidr().length()),
            NodeConfig.DEFAULT_LOOPBACK_IP,
            vxlan == null ? 0 : vxlan.ifindex(),
            net.ifindex(),
            host.ifindex(),
            host.link().mac().value(),
            net.link().mac().value(),
            vxlan == null ? 0 : vxlan.link().mac().value(),
            HOST_ENDPOINT,
            ReservedIdentity.REMOTE_NODE.id(),
            NodeConfig.DEFAULT_TUNNEL_PORT,
            config.monitorAggregation(),
            options.policyAudit(),
            ConntrackTimeouts.DEFAULT,
            nodePort(config, fib, eth0),
            options.tunnel(),
            options.sessionAffinity(),
            !options.sockets().loadBalancing() || options.sockets().hostNamespaceOnly());
    ProgramContext loaded =
        new ProgramContext(nodeConfig, maps.shared(), node.clock(), random, Recording.recorder());
    programContext = loaded;
    configuration = nodeConfig.toString();
    if (vxlan != null) {
      ProgramArray overlay = maps.calls(MapNames.CALLS_OVERLAY);
      load(MapNames.CALLS_OVERLAY, vxlan, overlay, objects.overlay(loaded, overlay), List.of());
    }
    String hostCalls = MapNames.hostCallsMapName(HOST_ENDPOINT);
    ProgramArray calls = maps.calls(hostCalls);
    load(hostCalls, host, calls, objects.host(loaded, calls), List.of());
    String netCalls = MapNames.netdevCallsMapName(net.ifindex());
    calls = maps.calls(netCalls);
    load(netCalls, net, calls, objects.hostNet(loaded, calls), List.of());
    String ethCalls = MapNames.netdevCallsMapName(eth0.ifindex());
    calls = maps.calls(ethCalls);
    load(ethCalls, eth0, calls, objects.netdev(loaded, eth0.link().name(), calls), List.of());
    loadXdp(loaded, config.options().xdp(), eth0);
    sockets.load(loaded, config.options());
  }

  private static @Nullable NodePortConfig nodePort(
      DatapathConfig config, NodeFib fib, DevicePort eth0) {
    DatapathOptions options = config.options();
    DatapathOptions.NodePort wanted = options.nodePort();
    if (wanted == null) {
      return null;
    }
    Ipv4Prefix exclusion = options.snatExclusion();
    return new NodePortConfig(
        eth0.ifindex(),
        eth0.link().mac().value(),
        config.nodeIp().value(),
        wanted.maxPort() + 1,
        NodePortConfig.DEFAULT_MAX_NAT_PORT,
        fib,
        switch (wanted.mode()) {
          case SNAT -> NodePortConfig.Mode.SNAT;
          case DSR -> NodePortConfig.Mode.DSR;
          case HYBRID -> NodePortConfig.Mode.HYBRID;
        },
        wanted.maglevTableSize() > 0,
        wanted.connectionSeed(),
        options.masquerade() == DatapathOptions.Masquerade.BPF
            ? new Masquerade.Config(
                config.nodeIp().value(),
                exclusion.address().value(),
                Ipv4Prefix.mask(exclusion.length()),
                options.ipMasqAgent())
            : null,
        wanted.pmtuDiscovery(),
        config.mtu());
  }

  private void loadXdp(ProgramContext loaded, DatapathOptions.Xdp options, DevicePort eth0) {
    genericXdp = options.generic();
    if (!options.isOn()) {
      unload(MapNames.CALLS_XDP);
      return;
    }
    ProgramArray calls = maps.calls(MapNames.CALLS_XDP);
    PrefilterMaps prefilter = options.prefilter() ? maps.prefilter() : null;
    load(
        MapNames.CALLS_XDP,
        eth0,
        calls,
        objects.xdp(loaded, calls, prefilter, options.acceleration()),
        prefilter == null ? List.of() : List.of(prefilter.fixed().id(), prefilter.dynamic().id()),
        -1,
        configuration + options);
  }

  /** Loads an endpoint's programs; answers the id of from-container. */
  int loadEndpoint(EndpointConfig config, DevicePort lxc) {
    ProgramContext loaded = programContext;
    if (loaded == null) {
      throw new IllegalStateException("an endpoint's program needs the node's configuration");
    }
    EndpointProgramConfig endpoint =
        new EndpointProgramConfig(
            config.endpointId(),
            config.securityIdentity(),
            config.ipv4().value(),
            lxc.link().mac().value());
    PolicyMap policy = maps.policy(config.endpointId());
    maps.sockets().endpointPolicies().put(new EndpointKey(config.ipv4()), policy);
    String name = MapNames.callsMapName(config.endpointId());
    ProgramArray calls = maps.calls(name);
    load(
        name,
        lxc,
        calls,
        objects.lxc(loaded, endpoint, policy, calls),
        List.of(policy.map().id()),
        config.endpointId(),
        configuration + endpoint);
    Attached fromContainer = attached.get(new At(lxc.ifindex(), Hook.FROM_CONTAINER));
    if (fromContainer == null) {
      throw new IllegalStateException("bpf_lxc.o has no section from-container");
    }
    return fromContainer.loaded().id();
  }

  /** Takes an endpoint's programs away; answers false if there are none. */
  boolean unloadEndpoint(int endpointId) {
    maps.shared().policyCalls().clear(endpointId);
    if (!unload(MapNames.callsMapName(endpointId))) {
      return false;
    }
    maps.removeEndpoint(endpointId);
    return true;
  }

  /** Takes an object's programs from their devices; answers false if there are none. */
  private boolean unload(String object) {
    List<LoadedProgram> programs = byObject.remove(object);
    if (programs == null) {
      return false;
    }
    attached
        .entrySet()
        .removeIf(
            entry -> {
              boolean own = programs.contains(entry.getValue().loaded());
              DevicePort port = node.devices().get(entry.getKey().ifindex());
              if (own && port != null) {
                port.tell(new NetDevice.Attach(entry.getKey().hook(), null));
              }
              return own;
            });
    node.programs().unload(programs);
    return true;
  }

  /** The device is gone, and with it what was attached to it. */
  void forgetDevice(int ifindex) {
    attached.keySet().removeIf(at -> at.ifindex() == ifindex);
  }

  private void load(
      String object,
      DevicePort device,
      ProgramArray calls,
      List<ProgramSection> sections,
      List<Integer> ownMaps) {
    load(object, device, calls, sections, ownMaps, -1, configuration);
  }

  private void load(
      String object,
      DevicePort device,
      ProgramArray calls,
      List<ProgramSection> sections,
      List<Integer> ownMaps,
      int endpointId,
      String compiledWith) {
    List<Integer> mapIds = new ArrayList<>(ownMaps);
    mapIds.add(calls.id());
    for (BpfMap map : used(maps.shared())) {
      mapIds.add(map.id());
    }
    List<LoadedProgram> loaded = new ArrayList<>();
    // Tail calls first: an attached program must find the ones that belong to it.
    for (ProgramSection section : sections) {
      if (section.slot() != ProgramSection.ATTACHED) {
        LoadedProgram program = node.programs().load(section, compiledWith, mapIds);
        loaded.add(program);
        if (ObjectFiles.isPolicy(section)) {
          maps.shared().policyCalls().set(endpointId, program.id(), program.program());
        } else {
          calls.set(section.slot(), program.id(), program.program());
        }
      }
    }
    for (ProgramSection section : sections) {
      if (section.slot() == ProgramSection.ATTACHED) {
        LoadedProgram program = node.programs().load(section, compiledWith, mapIds);
        loaded.add(program);
        attach(device, Hook.of(section.object(), section.section()), program);
      }
    }
    List<LoadedProgram> old = byObject.put(object, loaded);
    if (old != null) {
      node.programs().unload(old);
    }
  }

  private static List<BpfMap> used(CiliumMaps shared) {
    return List.of(
        shared.lxc().map(),
        shared.ipcache().map(),
        shared.policyCalls(),
        shared.conntrack().tcp(),
        shared.conntrack().any(),
        shared.metrics().map(),
        shared.events());
  }

  private void attach(DevicePort device, Hook hook, LoadedProgram program) {
    At at = new At(device.ifindex(), hook);
    Attached known = attached.get(at);
    ActorRef<ProgramActor.Command> actor;
    if (known != null) {
      actor = known.actor();
      actor.tell(new ProgramActor.Replace(program));
    } else {
      actor =
          context.spawn(
              ProgramActor.create(hook, program, node),
              "program-" + ++actors + "-" + program.section().section(),
              dispatcher);
      device.tell(new NetDevice.Attach(hook, actor));
    }
    attached.put(at, new Attached(actor, program));
  }

  /** For {@code tc filter show} and {@code bpftool net}. */
  List<KernelView.Attachment> attachments() {
    return attached.entrySet().stream()
        .map(
            entry ->
                new KernelView.Attachment(
                    entry.getKey().ifindex(),
                    attachPoint(entry.getKey().hook()),
                    entry.getKey().hook() == Hook.XDP ? 0 : 1,
                    entry.getKey().hook() == Hook.XDP ? 0 : 1,
                    entry.getValue().loaded().id()))
        .toList();
  }

  private KernelView.AttachPoint attachPoint(Hook hook) {
    if (hook == Hook.XDP) {
      return genericXdp ? KernelView.AttachPoint.XDP_GENERIC : KernelView.AttachPoint.XDP;
    }
    return switch (hook.direction()) {
      case INGRESS -> KernelView.AttachPoint.INGRESS;
      case EGRESS -> KernelView.AttachPoint.EGRESS;
    };
  }
}
