package dev.paramecium.agent.service;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A service as the node has it.
 *
 * @param id also its rev_nat index
 * @param backends those that this node may choose, as they were asked for
 */
public record Service(int id, ServiceSpec spec, List<Backend> backends) {

  public Service {
    backends = List.copyOf(backends);
  }

  /** A backend with the id that all services of this node know it by. */
  public record Backend(int id, L3n4Addr address, BackendState state) {}

  public L3n4Addr frontend() {
    return spec.frontend();
  }

  /** By id, as the API shows them. */
  public List<Backend> backendsById() {
    return backends.stream().sorted(Comparator.comparingInt(Backend::id)).toList();
  }

  List<Backend> active() {
    return backendsById().stream().filter(b -> b.state() == BackendState.ACTIVE).toList();
  }

  /** In the order of their slots: those that take connections by id, then the others. */
  List<Backend> bySlot() {
    return Stream.concat(
            active().stream(), backends.stream().filter(b -> b.state() != BackendState.ACTIVE))
        .toList();
  }

  Service withBackends(List<Backend> others) {
    return new Service(id, spec, others);
  }
}
