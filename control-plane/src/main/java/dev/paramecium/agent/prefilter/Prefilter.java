package dev.paramecium.agent.prefilter;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.LpmV4Key;
import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.syscall.MapEntry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The CIDRs that XDP drops by source ({@code pkg/datapath/prefilter}). The maps are all there is:
 * an agent that starts again finds what the one before it wrote, and counts revisions from 1.
 *
 * <p>Any thread may call; changes are made one after the other, each as a whole or not at all.
 */
public final class Prefilter {

  private static final byte[] NO_FLAGS = new byte[LpmV4Key.VALUE_SIZE];

  /** In the order in which {@code cilium prefilter list} prints them. */
  private static final List<String> MAPS = List.of(MapNames.CIDR_V4_DYN, MapNames.CIDR_V4_FIX);

  /**
   * What is in the maps.
   *
   * @param revision counts the changes, the first list is 1
   */
  public record Listing(long revision, List<Ipv4Prefix> deny) {

    public Listing {
      deny = List.copyOf(deny);
    }
  }

  private final KernelCalls kernel;
  private CompletionStage<Done> last = CompletableFuture.completedFuture(Done.done());
  private long revision = 1;

  public Prefilter(KernelCalls kernel) {
    this.kernel = kernel;
  }

  public CompletionStage<Listing> list() {
    return entries().thenApply(entries -> new Listing(revision(), entries));
  }

  private synchronized long revision() {
    return revision;
  }

  /**
   * Adds CIDRs.
   *
   * @param expected the revision that the caller has seen; 0 for any
   * @return fails with an IllegalStateException that has a message for the user
   */
  public CompletionStage<Done> insert(long expected, List<Ipv4Prefix> cidrs) {
    return change(
        () -> {
          requireRevision(expected);
          CompletionStage<Done> written = CompletableFuture.completedFuture(Done.done());
          for (String map : MAPS) {
            List<MapEntry> entries =
                keysOf(map, cidrs).stream().map(key -> new MapEntry(key, NO_FLAGS)).toList();
            written = written.thenCompose(_ -> kernel.updateMap(map, entries, List.of()));
          }
          return written.exceptionallyCompose(
              failure -> undo(cidrs, new IllegalStateException(KernelCalls.message(failure))));
        });
  }

  private CompletionStage<Done> undo(List<Ipv4Prefix> cidrs, IllegalStateException why) {
    return remove(cidrs).handle((_, _) -> why).thenCompose(CompletableFuture::<Done>failedFuture);
  }

  /** Takes CIDRs away, each of which must be there; otherwise as {@link #insert}. */
  public CompletionStage<Done> delete(long expected, List<Ipv4Prefix> cidrs) {
    return change(
        () -> {
          requireRevision(expected);
          return entries()
              .thenCompose(
                  entries -> {
                    Set<Ipv4Prefix> there = new HashSet<>(entries);
                    for (Ipv4Prefix cidr : cidrs) {
                      if (!there.contains(cidr)) {
                        throw new IllegalStateException("No map entry for CIDR string " + cidr);
                      }
                    }
                    return remove(cidrs);
                  });
        });
  }

  private void requireRevision(long expected) {
    long now = revision();
    if (expected != 0 && expected != now) {
      throw new IllegalStateException("Latest revision is " + now + " not " + expected);
    }
  }

  private CompletionStage<Done> remove(List<Ipv4Prefix> cidrs) {
    CompletionStage<Done> removed = CompletableFuture.completedFuture(Done.done());
    for (String map : MAPS) {
      removed = removed.thenCompose(_ -> kernel.updateMap(map, List.of(), keysOf(map, cidrs)));
    }
    return removed;
  }

  private static List<byte[]> keysOf(String map, List<Ipv4Prefix> cidrs) {
    return cidrs.stream()
        .filter(cidr -> (cidr.length() == Integer.SIZE) == map.equals(MapNames.CIDR_V4_FIX))
        .map(cidr -> new LpmV4Key(cidr).encode())
        .toList();
  }

  private CompletionStage<List<Ipv4Prefix>> entries() {
    CompletionStage<List<Ipv4Prefix>> all = CompletableFuture.completedFuture(new ArrayList<>());
    for (String map : MAPS) {
      all =
          all.thenCombine(
              kernel.dumpMap(map),
              (found, entries) -> {
                entries.forEach(entry -> found.add(LpmV4Key.decode(entry.key()).prefix()));
                return found;
              });
    }
    return all;
  }

  /** One change, to be made when those before it are done. */
  private interface Change {
    CompletionStage<Done> make();
  }

  private synchronized CompletionStage<Done> change(Change change) {
    CompletionStage<Done> made =
        last.thenCompose(_ -> change.make())
            .thenApply(
                done -> {
                  synchronized (this) {
                    revision++;
                  }
                  return done;
                });
    last = made.exceptionally(_ -> Done.done());
    return made;
  }
}
