package dev.paramecium.inspect;

import dev.paramecium.abi.ReservedIdentity;
import java.util.List;

/** What an identity's number stands for. The agent knows; the kernel only knows numbers. */
@FunctionalInterface
public interface IdentityLabels {

  /** The identities that every node knows without an agent. */
  IdentityLabels RESERVED =
      identity ->
          identity > 0 && identity < ReservedIdentity.values().length
              ? ReservedIdentity.values()[identity].labels()
              : List.of();

  /**
   * {@code source:key=value} of each label, sorted; empty if the number is unknown. Must answer at
   * once, from any thread.
   */
  List<String> labelsOf(int identity);
}
