package dev.paramecium.datapath;

import dev.paramecium.bpf.Program;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * A program after BPF_PROG_LOAD. Replacing one makes another, with a new id and fresh counters.
 *
 * @param id unique on the node, never used again
 * @param hook what it was written for
 * @param object the object file, {@code bpf_lxc.o}
 * @param section the ELF section, {@code from-container}
 * @param tag the first 8 bytes of a digest of object, section and configuration: the same program
 *     with the same configuration has the same tag on every node
 * @param mapIds the maps that it uses
 */
public record LoadedProgram(
    int id,
    Hook hook,
    String object,
    String section,
    long tag,
    long loadedAtEpochMs,
    List<Integer> mapIds,
    Program program,
    RunStatistics statistics) {

  public LoadedProgram {
    mapIds = List.copyOf(mapIds);
  }

  /** {@code bpf_lxc.o:[from-container]}, as tc names it. */
  public String name() {
    return object + ":[" + section + "]";
  }

  /** The tag of a program that was compiled with {@code configuration}. */
  public static long tagOf(String object, String section, String configuration) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(
                  (object + '\0' + section + '\0' + configuration)
                      .getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(digest).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
