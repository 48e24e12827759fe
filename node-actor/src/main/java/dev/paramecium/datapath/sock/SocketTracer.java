package dev.paramecium.datapath.sock;

import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.trace.Sight;
import dev.paramecium.datapath.trace.Step;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Tells those who follow traffic between two sockets what programs did to their calls. */
final class SocketTracer {

  /** Beside the walk of packets. */
  private static final int NO_STEP = 0;

  private final PacketTrace trace;

  SocketTracer(PacketTrace trace) {
    this.trace = trace;
  }

  /** What a program tells about a call is kept if anybody follows it; null if nobody does. */
  @Nullable SocketTrace begin(int protocol, SocketAddress local, SocketAddress remote) {
    return trace.isArmed() && trace.follows(sight(protocol, local, remote, 0))
        ? new SocketTrace()
        : null;
  }

  /** From now on what goes to {@code backend} is what was asked of {@code frontend}. */
  void translated(
      int protocol, SocketAddress local, SocketAddress frontend, SocketAddress backend) {
    if (trace.isArmed()) {
      trace.followTranslated(
          sight(protocol, local, frontend, 0), backend.address(), backend.port());
    }
  }

  /**
   * A program ran.
   *
   * @param length bytes in the message, 0 of a call without
   */
  void observe(
      LoadedSocketProgram program,
      int protocol,
      SocketAddress local,
      SocketAddress remote,
      int length,
      SocketTrace told,
      String verdict) {
    trace.observe(
        sight(protocol, local, remote, length),
        new Step(
            NO_STEP,
            "",
            0,
            program.section().attachType().hook().place(),
            program.section().name(),
            program.id(),
            withEntry(program.section().function(), told.functions()),
            List.copyOf(told.lookups()),
            verdict,
            "",
            told.rule()));
  }

  private static List<String> withEntry(String function, List<String> called) {
    return Stream.concat(Stream.of(function), called.stream().filter(f -> !f.equals(function)))
        .toList();
  }

  private static Sight sight(int protocol, SocketAddress local, SocketAddress remote, int length) {
    return Sight.ofSockets(
        protocol, local.address(), local.port(), remote.address(), remote.port(), length);
  }
}
