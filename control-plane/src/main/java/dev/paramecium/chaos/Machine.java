package dev.paramecium.chaos;

import java.time.Duration;
import java.util.List;

/**
 * The processes of the cluster, as the machine that they run on sees them. Every method says in an
 * IllegalStateException's message which process it does not know, and what to do.
 */
public interface Machine {

  /** The nodes whose process runs {@code node}, itself among them. */
  List<String> sharing(String node);

  /** SIGKILL, and waits for the end; nothing to do for one that has ended. */
  void kill(String node);

  /** SIGTERM, and waits for the end. */
  void terminate(String node);

  /** Starts an ended process as it was started; nothing to do for one that runs. */
  void start(String node);

  /** SIGSTOP. */
  void pause(String node);

  /** SIGCONT; nothing to do for one that runs. */
  void resume(String node);

  /**
   * Has somebody outside this process kill it and start it again later. Returns before.
   *
   * @param rest how long it is away
   */
  void crashSelf(Duration rest);

  /** Has somebody outside this process stop it and let it go on later. Returns before. */
  void pauseSelf(Duration rest);
}
