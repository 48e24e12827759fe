package dev.paramecium.kernel;

import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.map.PrefilterMaps;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The objects as they are, for tests that change one. */
class RealObjects implements ObjectFiles {

  private final ObjectFiles real = CompiledObjects.INSTANCE;

  @Override
  public List<ProgramSection> lxc(
      ProgramContext context,
      EndpointProgramConfig endpoint,
      PolicyMap policy,
      ProgramArray calls) {
    return real.lxc(context, endpoint, policy, calls);
  }

  @Override
  public List<ProgramSection> overlay(ProgramContext context, ProgramArray calls) {
    return real.overlay(context, calls);
  }

  @Override
  public List<ProgramSection> host(ProgramContext context, ProgramArray calls) {
    return real.host(context, calls);
  }

  @Override
  public List<ProgramSection> hostNet(ProgramContext context, ProgramArray calls) {
    return real.hostNet(context, calls);
  }

  @Override
  public List<ProgramSection> netdev(ProgramContext context, String device, ProgramArray calls) {
    return real.netdev(context, device, calls);
  }

  @Override
  public List<ProgramSection> xdp(
      ProgramContext context,
      ProgramArray calls,
      @Nullable PrefilterMaps prefilter,
      boolean acceleration) {
    return real.xdp(context, calls, prefilter, acceleration);
  }
}
