package dev.paramecium.agent.service;

import dev.paramecium.abi.Lb4Backend;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Whether a backend takes new connections ({@code loadbalancer.BackendState}). */
public enum BackendState {
  ACTIVE(Lb4Backend.ACTIVE),
  /** It finishes what it has; set by Kubernetes, and for good. */
  TERMINATING(Lb4Backend.TERMINATING),
  /** It cannot be reached. */
  QUARANTINED(Lb4Backend.QUARANTINED),
  /** An operator took it out. */
  MAINTENANCE(Lb4Backend.MAINTENANCE);

  private final int flags;

  BackendState(int flags) {
    this.flags = flags;
  }

  /** What the datapath calls it, in {@code lb4_backend.flags}. */
  int flags() {
    return flags;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws IllegalArgumentException naming the states that there are
   */
  public static BackendState parse(String text) {
    return Arrays.stream(values())
        .filter(state -> state.label().equals(text.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "invalid backend state "
                        + text
                        + ": use "
                        + Arrays.stream(values())
                            .map(BackendState::label)
                            .collect(Collectors.joining(", "))));
  }

  /** {@code IsValidStateTransition}. */
  boolean mayBecome(BackendState next) {
    return this == next
        || switch (this) {
          case ACTIVE -> true;
          case TERMINATING -> false;
          case QUARANTINED -> next != MAINTENANCE;
          case MAINTENANCE -> next == ACTIVE;
        };
  }
}
