package dev.paramecium.policy.rule;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * The peers of a rule: {@code fromEndpoints} or {@code toEndpoints} and their siblings. Only one
 * kind may be there beside {@code requires}.
 *
 * @param requires conditions on the peers of every rule that selects the same pod
 * @param services {@code toServices}, egress only
 * @param serviceBlocks the addresses of the services that have no selector, from their endpoints
 * @param groups how many cloud provider groups are named
 */
public record Peers(
    List<EndpointSelector> endpoints,
    List<EndpointSelector> requires,
    List<String> cidrs,
    List<CidrRule> cidrSets,
    List<String> entities,
    List<ServiceSelector> services,
    List<Cidr> serviceBlocks,
    List<FqdnSelector> fqdns,
    int groups) {

  public static final Peers NONE =
      new Peers(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(),
          0);

  public Peers {
    endpoints = List.copyOf(endpoints);
    requires = List.copyOf(requires);
    cidrs = List.copyOf(cidrs);
    cidrSets = List.copyOf(cidrSets);
    entities = List.copyOf(entities);
    services = List.copyOf(services);
    serviceBlocks = List.copyOf(serviceBlocks);
    fqdns = List.copyOf(fqdns);
  }

  public static Peers ofEndpoints(EndpointSelector... endpoints) {
    return NONE.withEndpoints(List.of(endpoints), List.of());
  }

  public static Peers ofCidrSet(CidrRule block) {
    return new Peers(
        List.of(),
        List.of(),
        List.of(),
        List.of(block),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        0);
  }

  public Peers withEndpoints(List<EndpointSelector> endpoints, List<EndpointSelector> requires) {
    return new Peers(
        endpoints, requires, cidrs, cidrSets, entities, services, serviceBlocks, fqdns, groups);
  }

  public Peers withServiceBlocks(List<Cidr> blocks) {
    return new Peers(
        endpoints, requires, cidrs, cidrSets, entities, services, blocks, fqdns, groups);
  }

  /** Every block that the rule names, its own and what is left of its sets. */
  public List<Cidr> blocks() {
    List<Cidr> blocks = new ArrayList<>();
    for (String text : cidrs) {
      Cidr block = Cidr.parseBlockOrAddress(text);
      if (block != null) {
        blocks.add(block);
      }
    }
    cidrSets.forEach(set -> blocks.addAll(set.blocks()));
    blocks.addAll(serviceBlocks);
    return blocks;
  }

  /**
   * All of them as label selectors; names come extra. Empty means that the rule names no peer
   * (Cilium {@code GetSourceEndpointSelectorsWithRequirements}).
   *
   * @param requirements of all rules that select the same pod; they bind {@code endpoints} only
   */
  public List<EndpointSelector> selectors(List<Requirement> requirements, String clusterName) {
    LinkedHashSet<EndpointSelector> selectors = new LinkedHashSet<>();
    for (EndpointSelector endpoint : endpoints) {
      selectors.add(requirements.isEmpty() ? endpoint : endpoint.with(requirements));
    }
    for (String name : entities) {
      Entity entity = Entity.of(name);
      if (entity != null) {
        selectors.addAll(entity.selectors(clusterName));
      }
    }
    for (Cidr block : blocks()) {
      if (block.isAll()) {
        selectors.add(Entity.WORLD.reserved());
      }
      selectors.add(EndpointSelector.of(block.label()));
    }
    if (!fqdns.isEmpty()) {
      selectors.add(Entity.NONE.reserved());
    }
    return List.copyOf(selectors);
  }
}
