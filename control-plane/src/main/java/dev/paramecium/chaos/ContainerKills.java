package dev.paramecium.chaos;

import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.syscall.ContainerInfo;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * PodChaos of action container-kill on one node: SIGKILL for the container's main process, of which
 * the kubelet learns as of any other end. There is nothing to recover.
 */
final class ContainerKills implements Action {

  private final KernelCalls kernel;
  private final String nodeName;

  ContainerKills(KernelCalls kernel, String nodeName) {
    this.kernel = kernel;
    this.nodeName = nodeName;
  }

  @Override
  public ResourceType type() {
    return ResourceType.POD_CHAOS;
  }

  @Override
  public boolean isMine(Experiment.Record record) {
    return record.node().equals(nodeName);
  }

  @Override
  public boolean endsWithThisProcess() {
    return false;
  }

  @Override
  public CompletionStage<Done> inject(KubeObject chaos, String id) {
    return kernel
        .listContainers()
        .thenCompose(
            containers -> {
              for (ContainerInfo container : containers) {
                String name = container.spec().podName() + "/" + container.spec().containerName();
                if (container.running() && name.equals(id)) {
                  return kernel.stopContainer(container.spec().id(), 0);
                }
              }
              return CompletableFuture.failedFuture(
                  new IllegalStateException(
                      "container "
                          + id
                          + " does not run on "
                          + nodeName
                          + ": nothing to kill yet"));
            });
  }

  @Override
  public CompletionStage<Done> recover(KubeObject chaos, String id) {
    return CompletableFuture.completedFuture(Done.done());
  }
}
