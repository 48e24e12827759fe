package dev.paramecium.kernel;

import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.map.PrefilterMaps;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The object files that cilium-agent would have compiled, as their sections. {@code calls} is the
 * program array of an object's own tail calls; the kernel fills it with the sections that have a
 * slot.
 */
public interface ObjectFiles {

  /** {@code bpf_lxc.o} for one endpoint; the section with {@link #isPolicy} is handle_policy. */
  List<ProgramSection> lxc(
      ProgramContext context, EndpointProgramConfig endpoint, PolicyMap policy, ProgramArray calls);

  /** {@code bpf_overlay.o}. */
  List<ProgramSection> overlay(ProgramContext context, ProgramArray calls);

  /** {@code bpf_host.o} for cilium_host. */
  List<ProgramSection> host(ProgramContext context, ProgramArray calls);

  /** {@code bpf_host_cilium_net.o}. */
  List<ProgramSection> hostNet(ProgramContext context, ProgramArray calls);

  /** {@code bpf_netdev_DEVICE.o}. */
  List<ProgramSection> netdev(ProgramContext context, String device, ProgramArray calls);

  /**
   * {@code bpf_xdp.o}.
   *
   * @param prefilter null if sources are not filtered
   * @param acceleration whether NodePort is done here
   */
  List<ProgramSection> xdp(
      ProgramContext context,
      ProgramArray calls,
      @Nullable PrefilterMaps prefilter,
      boolean acceleration);

  /** Whether a section goes into {@code cilium_call_policy}. */
  static boolean isPolicy(ProgramSection section) {
    return section.section().startsWith(ProgramSection.MAP_POLICY + "/");
  }
}
