package dev.paramecium.datapath.underlay;

import com.typesafe.config.Config;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;
import org.apache.pekko.dispatch.MonitorableThreadFactory;

/** Makes a {@link DatapathLoop} the executor of a dispatcher; named in reference.conf. */
public final class DatapathLoopConfigurator extends ExecutorServiceConfigurator {

  public DatapathLoopConfigurator(Config config, DispatcherPrerequisites prerequisites) {
    super(config, prerequisites);
  }

  @Override
  public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threads) {
    ThreadFactory named =
        threads instanceof MonitorableThreadFactory factory
            ? factory.withName(factory.name() + "-" + id)
            : threads;
    return new ExecutorServiceFactory() {
      @Override
      public ExecutorService createExecutorService() {
        return new DatapathLoop(named);
      }
    };
  }
}
