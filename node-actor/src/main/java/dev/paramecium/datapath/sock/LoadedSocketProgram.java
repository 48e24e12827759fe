package dev.paramecium.datapath.sock;

import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * A program on sockets after BPF_PROG_LOAD. Replacing one makes another, with a new id and fresh
 * counters.
 *
 * @param id unique on the node, never used again
 * @param tag the same for the same program with the same configuration, on every node
 * @param mapIds the maps that it uses
 * @param runs how often it ran; every thread counts
 */
public record LoadedSocketProgram(
    int id,
    SocketSection section,
    long tag,
    long loadedAtEpochMs,
    List<Integer> mapIds,
    LongAdder runs) {

  public LoadedSocketProgram {
    mapIds = List.copyOf(mapIds);
  }
}
