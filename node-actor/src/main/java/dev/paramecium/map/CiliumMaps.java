package dev.paramecium.map;

import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The maps that all programs of a node share, with the sizes that v1.12.3 gives them. They live as
 * long as the node; programs come and go.
 *
 * <p>An endpoint has two more: its {@link PolicyMap} and the program array of its tail calls.
 */
public final class CiliumMaps {

  public static final int LXC_ENTRIES = 65535;
  public static final int IPCACHE_ENTRIES = 512_000;
  public static final int TUNNEL_ENTRIES = 65536;
  public static final int POLICY_CALLS = 65535;
  public static final int FRAGMENT_ENTRIES = 8192;
  public static final int METRICS_ENTRIES = 1024;
  public static final int SERVICE_ENTRIES = 65536;

  /** CILIUM_CALL_SIZE: slots of a program's own tail calls. */
  public static final int CALLS = 33;

  private final EndpointMap lxc;
  private final Ipcache ipcache;
  private final TunnelMap tunnel;
  private final ProgramArray policyCalls;
  private final ProgramArray egressPolicyCalls;
  private final ConntrackMaps conntrack;
  private final FragmentMap fragments;
  private final MetricsMap metrics;
  private final PerfEventArray events;
  private final ServiceMaps services;
  private final NatMaps nat;
  private final PerfEventArray signals;

  /**
   * @param ids gives each map its id
   * @param cpus how many CPUs the node has
   * @param loaded finds a loaded program by its id, or null
   */
  public CiliumMaps(IntSupplier ids, int cpus, IntFunction<@Nullable Program> loaded) {
    this(ids, cpus, loaded, MapSizes.DEFAULT);
  }

  /**
   * @param ids gives each map its id
   * @param cpus how many CPUs the node has
   * @param loaded finds a loaded program by its id, or null
   * @param sizes of the maps that the agent's options size
   */
  public CiliumMaps(
      IntSupplier ids, int cpus, IntFunction<@Nullable Program> loaded, MapSizes sizes) {
    this.lxc = new EndpointMap(ids.getAsInt(), LXC_ENTRIES);
    this.ipcache = new Ipcache(ids.getAsInt(), IPCACHE_ENTRIES);
    this.tunnel = new TunnelMap(ids.getAsInt(), TUNNEL_ENTRIES);
    this.policyCalls = new ProgramArray(ids.getAsInt(), MapNames.CALL_POLICY, POLICY_CALLS, loaded);
    this.egressPolicyCalls =
        new ProgramArray(ids.getAsInt(), MapNames.EGRESS_CALL_POLICY, POLICY_CALLS, loaded);
    this.conntrack =
        new ConntrackMaps(ids.getAsInt(), ids.getAsInt(), sizes.ctTcp(), sizes.ctAny());
    this.fragments = new FragmentMap(ids.getAsInt(), FRAGMENT_ENTRIES);
    this.metrics = new MetricsMap(ids.getAsInt(), METRICS_ENTRIES, cpus);
    this.events = new PerfEventArray(ids.getAsInt(), MapNames.EVENTS, cpus);
    this.services = new ServiceMaps(ids, SERVICE_ENTRIES);
    this.nat = new NatMaps(ids.getAsInt(), ids.getAsInt(), ids.getAsInt(), sizes.nat());
    this.signals = new PerfEventArray(ids.getAsInt(), MapNames.SIGNALS, cpus);
  }

  public EndpointMap lxc() {
    return lxc;
  }

  public Ipcache ipcache() {
    return ipcache;
  }

  public TunnelMap tunnel() {
    return tunnel;
  }

  /** {@code cilium_call_policy}: endpoint id → its ingress policy program. */
  public ProgramArray policyCalls() {
    return policyCalls;
  }

  /** {@code cilium_egresscall_policy}: endpoint id → its egress policy program. */
  public ProgramArray egressPolicyCalls() {
    return egressPolicyCalls;
  }

  public ConntrackMaps conntrack() {
    return conntrack;
  }

  public FragmentMap fragments() {
    return fragments;
  }

  public MetricsMap metrics() {
    return metrics;
  }

  /** {@code cilium_events}. */
  public PerfEventArray events() {
    return events;
  }

  public ServiceMaps services() {
    return services;
  }

  public NatMaps nat() {
    return nat;
  }

  /** {@code cilium_signals}. */
  public PerfEventArray signals() {
    return signals;
  }

  /** All of them, as {@code bpftool map show} lists them. */
  public List<BpfMap> all() {
    return List.of(
        lxc.map(),
        ipcache.map(),
        tunnel.map(),
        policyCalls,
        egressPolicyCalls,
        conntrack.tcp(),
        conntrack.any(),
        fragments.map(),
        metrics.map(),
        events,
        services.services(),
        services.backends(),
        services.reverseNat(),
        services.affinity(),
        services.affinityMatch(),
        services.sourceRange(),
        services.maglev(),
        nat.snat(),
        nat.neighbors(),
        nat.masqueradeExclusions(),
        signals);
  }
}
