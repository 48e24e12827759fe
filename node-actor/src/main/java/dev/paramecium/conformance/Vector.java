package dev.paramecium.conformance;

import java.util.List;

/**
 * One vector, or a sequence of steps that each start from the state that the one before left.
 *
 * @param name of a file its name, of a sequence its seed
 * @param node addresses, indexes and MACs of the node, and its endpoints
 * @param options what the programs were compiled with, in words
 * @param monitorAggregation 0 to 4
 * @param mapsBefore what the maps held
 * @param steps packets that went in and what came out; at least one
 */
record Vector(
    String name,
    Fields node,
    String options,
    int monitorAggregation,
    Fields mapsBefore,
    List<Fields> steps) {

  Vector {
    steps = List.copyOf(steps);
  }
}
