package dev.paramecium.container.process;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.Sockets;
import java.util.List;
import java.util.Map;

/** What the kernel gives a process. */
public interface ProcessContext {

  /** The command line, the program's own name first. */
  List<String> argv();

  Map<String, String> env();

  /** The pod's name, or the node's. */
  String hostname();

  /** Whether input will come, and whether a person types it. */
  boolean hasStdin();

  boolean isTty();

  Sockets sockets();

  /** The namespace's interfaces, routes and neighbours, for {@code ip} and {@code arp}. */
  NamespaceView namespace();

  Clock clock();

  RandomSource random();

  /**
   * Writes; answers false when the reader is behind: stop and wait for {@link
   * Process#outputDrained}. Nothing is lost either way.
   */
  boolean stdout(byte[] bytes);

  boolean stderr(byte[] bytes);

  /** Ends the process. */
  void exit(int code);

  /**
   * Runs another program as a child with its output here, for shells: {@code done} gets its exit
   * code. Answers the child, or null with 127 told if there is none.
   */
  @org.jspecify.annotations.Nullable
  Process spawn(List<String> argv, java.util.function.IntConsumer done);
}
