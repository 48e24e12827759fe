package dev.paramecium.kernel;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.map.ServiceMaps;
import dev.paramecium.syscall.TraceFilter;
import java.util.ArrayList;
import java.util.List;

/**
 * What a trace of traffic to a service has to follow: a packet carries the service's address until
 * it is translated, and a backend's from there on, on this node and on others.
 */
final class TraceTargets {

  private TraceTargets() {}

  /** The filter itself, and one for each backend if its destination is a frontend. */
  static List<TraceFilter> of(TraceFilter asked, ServiceMaps services) {
    List<TraceFilter> all = new ArrayList<>();
    all.add(asked);
    int address = asked.destination().value();
    int port = asked.destinationPort();
    for (int scope : new int[] {Lb4Key.SCOPE_EXTERNAL, Lb4Key.SCOPE_INTERNAL}) {
      int frontend = services.findService(address, port, 0, scope);
      int count = frontend < 0 ? 0 : services.count(frontend);
      for (int slot = 1; slot <= count; slot++) {
        int entry = services.findService(address, port, slot, scope);
        int backend = entry < 0 ? -1 : services.findBackend(services.backendId(entry));
        if (backend >= 0) {
          TraceFilter more =
              new TraceFilter(
                  asked.source(),
                  new Ipv4Address(services.backendAddress(backend)),
                  asked.protocol(),
                  asked.sourcePort(),
                  services.backendPort(backend));
          if (!all.contains(more)) {
            all.add(more);
          }
        }
      }
    }
    return all;
  }
}
