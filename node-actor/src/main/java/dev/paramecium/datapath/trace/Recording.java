package dev.paramecium.datapath.trace;

import dev.paramecium.abi.DropReason;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.syscall.Observation.Lookup;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one run of a program told about its packet, cut where a tail call entered another object's
 * program.
 *
 * <pre>
 *   from-overlay  functions, lookups | handle_policy  functions, lookups, rule, reason
 *   '----------- part 0 ------------' '------------------ part 1 -----------------'
 * </pre>
 *
 * A program knows one {@link #recorder} for life; which recording it speaks to is the running
 * thread's business.
 */
public final class Recording {

  /** What one program told. */
  public static final class Part {
    private final @Nullable ProgramSection section;
    private final Sight before;
    private final List<String> functions = new ArrayList<>();
    private final List<Lookup> lookups = new ArrayList<>();
    private String rule = "";
    private String reason = "";

    private Part(@Nullable ProgramSection section, Sight before) {
      this.section = section;
      this.before = before;
    }

    /** The program that was tail-called; null for the one that is attached to the hook. */
    public @Nullable ProgramSection section() {
      return section;
    }

    /** The packet when the program began. */
    public Sight before() {
      return before;
    }

    public List<String> functions() {
      return functions;
    }

    public List<Lookup> lookups() {
      return lookups;
    }

    /** What decided; of several the last. */
    public String rule() {
      return rule;
    }

    /** Why the packet is dropped, or empty. */
    public String reason() {
      return reason;
    }
  }

  private static final ThreadLocal<@Nullable Recording> CURRENT = new ThreadLocal<>();

  private final PacketTrace trace;
  private final List<Part> parts = new ArrayList<>();

  private Recording(PacketTrace trace, SkBuff packet) {
    this.trace = trace;
    parts.add(new Part(null, trace.look(packet)));
  }

  /** Begins to listen to what this thread's programs tell. */
  static Recording begin(PacketTrace trace, SkBuff packet) {
    Recording recording = new Recording(trace, packet);
    CURRENT.set(recording);
    return recording;
  }

  /** Stops listening. */
  public void end() {
    CURRENT.remove();
  }

  public List<Part> parts() {
    return parts;
  }

  private Part last() {
    return parts.getLast();
  }

  /** What the programs of a node are loaded with. */
  public static TraceRecorder recorder() {
    return Recorder.INSTANCE;
  }

  private enum Recorder implements TraceRecorder {
    INSTANCE;

    @Override
    public void program(SkBuff packet, ProgramSection section) {
      Recording recording = CURRENT.get();
      if (recording != null) {
        recording.parts.add(new Part(section, recording.trace.look(packet)));
      }
    }

    @Override
    public void function(SkBuff packet, String function) {
      Recording recording = CURRENT.get();
      if (recording != null) {
        recording.last().functions.add(function);
      }
    }

    @Override
    public void lookup(SkBuff packet, String map, String key, String value) {
      Recording recording = CURRENT.get();
      if (recording != null) {
        recording.last().lookups.add(new Lookup(map, key, value));
      }
    }

    @Override
    public void decision(SkBuff packet, String rule) {
      Recording recording = CURRENT.get();
      if (recording != null) {
        recording.last().rule = rule;
      }
    }

    @Override
    public void drop(SkBuff packet, int reason) {
      Recording recording = CURRENT.get();
      if (recording != null) {
        recording.last().reason = DropReason.text(reason);
      }
    }
  }
}
