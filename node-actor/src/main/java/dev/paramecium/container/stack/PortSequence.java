package dev.paramecium.container.stack;

import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Which port a connection gets that was bound to none: towards one destination they rise, from a
 * start that is secret, by a small random step (Linux's {@code __inet_hash_connect}; RFC 6056,
 * 3.3.4). So a port comes again late, when conntrack on the way has forgotten the connection that
 * had it. Of the range the even ports come first: odd ones are left to sockets that are bound.
 */
final class PortSequence {

  /** {@code INET_TABLE_PERTURB_SIZE}, before Linux 5.18. */
  private static final int DESTINATIONS = 256;

  private static final int MAX_STEPS = 8;

  private final Context context;
  private final SipHash secret;
  private final int[] moved = new int[DESTINATIONS];

  PortSequence(Context context) {
    this.context = context;
    this.secret = new SipHash(context.random);
  }

  /**
   * Offers ports to {@code attempt} until it answers.
   *
   * @return what it answered, null if it took none
   */
  <T> @Nullable T first(int local, int remote, int remotePort, IntFunction<@Nullable T> attempt) {
    long hash = secret.hash((long) local << 32 | remote & 0xffff_ffffL, remotePort);
    int destination = (int) hash & DESTINATIONS - 1;
    int start = (int) ((moved[destination] + (hash >>> 32)) % Ports.COUNT) & ~1;
    for (int odd = 0; odd <= 1; odd++) {
      for (int i = 0; i < Ports.COUNT; i += 2) {
        T taken = attempt.apply(Ports.FIRST + (start + i) % Ports.COUNT + odd);
        if (taken != null) {
          int steps = Math.max(i, 2 * context.random(MAX_STEPS));
          moved[destination] = (moved[destination] + steps + 2) % Ports.COUNT;
          return taken;
        }
      }
    }
    return null;
  }
}
