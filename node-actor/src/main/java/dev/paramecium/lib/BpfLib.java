package dev.paramecium.lib;

import dev.paramecium.abi.SourceFile;

/**
 * The steps as they are compiled into one object file: with its event source and what it counts.
 *
 * @param events tell whose they are: the endpoint's, the host's, or nobody's of the overlay's
 */
public record BpfLib(
    ProgramContext context,
    Metrics metrics,
    Conntrack conntrack,
    LoadBalancer loadBalancer,
    MonitorEvents events,
    LocalDelivery delivery,
    Encap encap) {

  /**
   * @param eventSource EVENT_SOURCE
   * @param file of {@link dev.paramecium.abi.SourceFile}
   * @param deliveryMetrics LOCAL_DELIVERY_METRICS
   */
  public static BpfLib compile(
      ProgramContext context, int eventSource, int file, boolean deliveryMetrics) {
    Metrics metrics = new Metrics(context.maps().metrics());
    Fragments fragments = new Fragments(context.maps().fragments(), metrics);
    Conntrack conntrack = new Conntrack(context, fragments);
    MonitorEvents events = new MonitorEvents(context, metrics, eventSource, file);
    return new BpfLib(
        context,
        metrics,
        conntrack,
        new LoadBalancer(context, conntrack, fragments, file != SourceFile.BPF_LXC),
        events,
        new LocalDelivery(context, metrics, deliveryMetrics),
        new Encap(context, events));
  }
}
