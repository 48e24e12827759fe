package dev.paramecium.kernel;

import dev.paramecium.syscall.Syscall;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A node's kernel: answers every {@link Syscall}, owns devices, programs, maps and namespaces. */
public final class Kernel {

  private Kernel() {}

  /**
   * A node's kernel; opens the underlay's sockets at once.
   *
   * @throws dev.paramecium.datapath.underlay.UnderlayException if they cannot be opened, with a
   *     message for the user
   */
  public static Behavior<Syscall> create(KernelConfig config) {
    return Behaviors.receive(Syscall.class).build();
  }
}
