package dev.paramecium.agent.endpoint;

import java.util.Locale;

/** Where an endpoint is in its life ({@code api/v1/models/endpoint_state.go}). */
public enum EndpointState {
  WAITING_FOR_IDENTITY,
  NOT_READY,
  WAITING_TO_REGENERATE,
  REGENERATING,
  RESTORING,
  READY,
  DISCONNECTING,
  DISCONNECTED,
  INVALID;

  /** {@code waiting-for-identity}: as Cilium prints it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
