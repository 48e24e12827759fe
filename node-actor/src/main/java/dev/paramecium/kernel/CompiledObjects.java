package dev.paramecium.kernel;

import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.datapath.host.BpfHost;
import dev.paramecium.datapath.lxc.BpfLxc;
import dev.paramecium.datapath.netdev.BpfNetdev;
import dev.paramecium.datapath.netdev.VlanFilter;
import dev.paramecium.datapath.overlay.BpfOverlay;
import dev.paramecium.datapath.xdp.BpfXdp;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.map.PrefilterMaps;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The objects of v1.12.3 as an agent in tunnel mode without per-endpoint routes loads them: nothing
 * on the egress of an lxc device.
 */
enum CompiledObjects implements ObjectFiles {
  INSTANCE;

  @Override
  public List<ProgramSection> lxc(
      ProgramContext context,
      EndpointProgramConfig endpoint,
      PolicyMap policy,
      ProgramArray calls) {
    BpfLxc object = BpfLxc.compile(context, endpoint, policy, calls);
    return sections(object.tailCalls(), object.handlePolicy(), object.fromContainer());
  }

  @Override
  public List<ProgramSection> overlay(ProgramContext context, ProgramArray calls) {
    BpfOverlay object = BpfOverlay.compile(context, calls);
    return sections(object.tailCalls(), object.fromOverlay(), object.toOverlay());
  }

  @Override
  public List<ProgramSection> host(ProgramContext context, ProgramArray calls) {
    BpfHost object = BpfHost.compile(context, calls);
    return sections(object.tailCalls(), object.fromHost(), object.toHost());
  }

  @Override
  public List<ProgramSection> hostNet(ProgramContext context, ProgramArray calls) {
    return List.of(BpfHost.compile(context, calls).toHostNet());
  }

  @Override
  public List<ProgramSection> netdev(ProgramContext context, String device, ProgramArray calls) {
    BpfNetdev object = BpfNetdev.compile(context, device, calls, VlanFilter.NONE);
    return sections(object.tailCalls(), object.fromNetdev(), object.toNetdev());
  }

  @Override
  public List<ProgramSection> xdp(
      ProgramContext context,
      ProgramArray calls,
      @Nullable PrefilterMaps prefilter,
      boolean acceleration) {
    BpfXdp object = BpfXdp.compile(context, calls, prefilter, acceleration);
    return sections(object.tailCalls(), object.fromNetdev());
  }

  private static List<ProgramSection> sections(
      List<ProgramSection> tailCalls, ProgramSection... others) {
    List<ProgramSection> all = new ArrayList<>(tailCalls);
    all.addAll(List.of(others));
    return all;
  }
}
