package dev.paramecium.agent.cli;

import dev.paramecium.agent.endpoint.StatusLog;
import java.util.List;

/** A node without endpoints. */
final class NoEndpoints implements EndpointApi {

  @Override
  public List<StatusLog.Entry> log(int endpointId) {
    return List.of();
  }

  @Override
  public void regenerate(int endpointId) {}
}
