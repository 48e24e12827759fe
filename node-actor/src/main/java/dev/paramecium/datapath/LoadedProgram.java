package dev.paramecium.datapath;

import dev.paramecium.bpf.Program;
import dev.paramecium.lib.ProgramSection;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * A program after BPF_PROG_LOAD. Replacing one makes another, with a new id and fresh counters.
 *
 * @param id unique on the node, never used again
 * @param section what was loaded
 * @param tag the first 8 bytes of a digest of object, section and configuration: the same program
 *     with the same configuration has the same tag on every node
 * @param mapIds the maps that it uses
 */
public record LoadedProgram(
    int id,
    ProgramSection section,
    long tag,
    long loadedAtEpochMs,
    List<Integer> mapIds,
    RunStatistics statistics) {

  public LoadedProgram {
    mapIds = List.copyOf(mapIds);
  }

  public Program program() {
    return section.program();
  }

  /** {@code bpf_lxc.o:[from-container]}, as tc names it. */
  public String name() {
    return section.name();
  }

  /** The tag of a program that was compiled with {@code configuration}. */
  public static long tagOf(String object, String section, String configuration) {
    String source = object + '\0' + section + '\0' + configuration;
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(source.getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(digest).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
