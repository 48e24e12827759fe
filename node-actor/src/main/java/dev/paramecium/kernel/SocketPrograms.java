package dev.paramecium.kernel;

import dev.paramecium.bpf.BpfMap;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.sock.BpfRedir;
import dev.paramecium.datapath.sock.BpfSock;
import dev.paramecium.datapath.sock.BpfSockops;
import dev.paramecium.datapath.sock.Cgroup;
import dev.paramecium.datapath.sock.LoadedSocketProgram;
import dev.paramecium.datapath.sock.SocketLbConfig;
import dev.paramecium.datapath.sock.SocketSection;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.map.SocketMaps;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.DatapathOptions.NodePort;
import dev.paramecium.syscall.DatapathOptions.Sockets;
import java.util.ArrayList;
import java.util.List;

/**
 * Loads the objects for sockets and attaches them to the root cgroup and to the sock map, as {@code
 * init.sh} and {@code pkg/sockops} do. The kernel's actor only; what is attached may be read by any
 * thread.
 */
final class SocketPrograms {

  private final NodeDatapath node;
  private final MapTable maps;
  private final Cgroup cgroup;
  private String configuration = "";

  SocketPrograms(NodeDatapath node, MapTable maps, Cgroup cgroup) {
    this.node = node;
    this.maps = maps;
    this.cgroup = cgroup;
  }

  /** Loads what the options ask for in place of what is there; the maps stay as they are. */
  void load(ProgramContext context, DatapathOptions options) {
    String compiledWith = context.config() + " " + options;
    if (compiledWith.equals(configuration)) {
      return;
    }
    configuration = compiledWith;
    Sockets config = options.sockets();
    SocketMaps sockets = maps.sockets();
    maps.pinSockets(config.loadBalancing(), config.sockops());
    List<LoadedSocketProgram> programs = new ArrayList<>();
    if (config.loadBalancing()) {
      NodePort nodePort = options.nodePort();
      NodePort range = nodePort == null ? NodePort.DEFAULT : nodePort;
      SocketLbConfig compiled =
          new SocketLbConfig(
              config.hostNamespaceOnly(),
              nodePort != null,
              range.minPort(),
              range.maxPort(),
              config.bindProtection());
      List<Integer> used =
          List.of(
              maps.shared().metrics().map().id(),
              maps.shared().ipcache().map().id(),
              sockets.reverseSk().id(),
              maps.shared().services().services().id(),
              maps.shared().services().backends().id(),
              maps.shared().services().affinity().id(),
              maps.shared().services().affinityMatch().id());
      for (SocketSection section : BpfSock.compile(context, sockets, compiled).sections()) {
        programs.add(load(section, used));
      }
    }
    if (config.sockops()) {
      List<Integer> used =
          List.of(
              maps.shared().services().services().id(),
              maps.shared().ipcache().map().id(),
              maps.shared().lxc().map().id(),
              sockets.endpointPolicies().id(),
              sockets.sockOps().id());
      programs.add(load(BpfSockops.compile(context, sockets), used));
      programs.add(load(BpfRedir.compile(context, sockets), used));
    }
    cgroup.attach(programs, sockets);
  }

  private LoadedSocketProgram load(SocketSection section, List<Integer> mapIds) {
    return node.programs().loadForSockets(section, configuration, mapIds);
  }

  /** For {@code bpftool prog show}. */
  static KernelView.ProgramInfo info(LoadedSocketProgram program) {
    return HostView.info(
        program.id(),
        program.section().attachType().programType(),
        program.section().function(),
        program.section().object(),
        program.section().attachType().section(),
        program.tag(),
        program.loadedAtEpochMs(),
        program.mapIds(),
        program.runs().sum(),
        0);
  }

  /** For {@code bpftool cgroup tree}. */
  static List<KernelView.CgroupAttachment> attachments(Cgroup cgroup) {
    return cgroup.attached().stream()
        .filter(program -> program.section().attachType().isOnCgroup())
        .map(
            program ->
                new KernelView.CgroupAttachment(
                    Cgroup.PATH, program.section().attachType().bpftoolName(), program.id()))
        .toList();
  }

  /** The maps that an option asks for. */
  static List<BpfMap> pinned(SocketMaps sockets, boolean socketLb, boolean sockops) {
    List<BpfMap> pinned = new ArrayList<>();
    if (socketLb) {
      pinned.add(sockets.reverseSk());
    }
    if (sockops) {
      pinned.add(sockets.sockOps());
      pinned.add(sockets.endpointPolicies());
    }
    return pinned;
  }
}
