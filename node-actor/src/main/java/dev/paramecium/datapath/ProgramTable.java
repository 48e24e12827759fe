package dev.paramecium.datapath;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.Program;
import dev.paramecium.datapath.sock.LoadedSocketProgram;
import dev.paramecium.datapath.sock.SocketSection;
import dev.paramecium.lib.ProgramSection;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The node's loaded programs by id. The kernel loads and unloads, any thread reads. */
public final class ProgramTable {

  private final Clock clock;
  private final AtomicInteger lastId = new AtomicInteger();
  private final Map<Integer, LoadedProgram> byId = new ConcurrentHashMap<>();
  private final Map<ProgramSection, LoadedProgram> bySection = new ConcurrentHashMap<>();

  public ProgramTable(Clock clock) {
    this.clock = clock;
  }

  /**
   * BPF_PROG_LOAD.
   *
   * @param configuration what the object was compiled with, for the tag
   * @param mapIds the maps that it uses
   */
  public LoadedProgram load(ProgramSection section, String configuration, List<Integer> mapIds) {
    LoadedProgram loaded =
        new LoadedProgram(
            lastId.incrementAndGet(),
            section,
            LoadedProgram.tagOf(section.object(), section.section(), configuration),
            clock.epochMs(),
            mapIds,
            new RunStatistics());
    byId.put(loaded.id(), loaded);
    bySection.put(section, loaded);
    return loaded;
  }

  /** BPF_PROG_LOAD of a program on sockets, which no device and no program array refers to. */
  public LoadedSocketProgram loadForSockets(
      SocketSection section, String configuration, List<Integer> mapIds) {
    return new LoadedSocketProgram(
        lastId.incrementAndGet(),
        section,
        LoadedProgram.tagOf(section.object(), section.attachType().section(), configuration),
        clock.epochMs(),
        mapIds,
        new LongAdder());
  }

  /** The last reference is gone. */
  public void unload(Collection<LoadedProgram> programs) {
    for (LoadedProgram program : programs) {
      byId.remove(program.id());
      bySection.remove(program.section());
    }
  }

  /** What program arrays look a userland update up with. */
  public @Nullable Program program(int id) {
    LoadedProgram loaded = byId.get(id);
    return loaded == null ? null : loaded.program();
  }

  /** The program that a section was loaded as. */
  public @Nullable LoadedProgram of(ProgramSection section) {
    return bySection.get(section);
  }

  /** All of them, by id. */
  public List<LoadedProgram> all() {
    return byId.values().stream().sorted(Comparator.comparingInt(LoadedProgram::id)).toList();
  }
}
