package dev.paramecium.agent.cli;

import dev.paramecium.agent.endpoint.StatusLog;
import java.util.List;

/** What commands ask of endpoints beyond their models; in the agent's actor. */
public interface EndpointApi {

  /** What became of an endpoint, newest first; nothing if it is not there. */
  List<StatusLog.Entry> log(int endpointId);

  /** Has an endpoint's policy map written anew; nothing happens if it is not there. */
  void regenerate(int endpointId);
}
