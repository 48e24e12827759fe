package dev.paramecium.kubelet;

import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.kubelet.KubeletRequest.ContainerUsage;
import dev.paramecium.kubelet.KubeletRequest.NodeUsage;
import dev.paramecium.syscall.ContainerInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** What a node and its containers have used: the kubelet's {@code /metrics/resource}. */
final class UsageReader {

  /** The nodes of this JVM, which share what it uses. */
  private static final AtomicInteger NODES = new AtomicInteger();

  private final String nodeName;
  private final KernelCalls kernel;
  private final InstantSource clock;

  UsageReader(String nodeName, KernelCalls kernel, InstantSource clock) {
    this.nodeName = nodeName;
    this.kernel = kernel;
    this.clock = clock;
    NODES.incrementAndGet();
  }

  /** The kubelet ends. */
  void close() {
    NODES.decrementAndGet();
  }

  CompletionStage<NodeUsage> read() {
    return kernel.listContainers().thenApply(this::usage);
  }

  private NodeUsage usage(List<ContainerInfo> containers) {
    int nodes = Math.max(1, NODES.get());
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    long bytes = memory.getHeapMemoryUsage().getUsed() + memory.getNonHeapMemoryUsage().getUsed();
    long cpu =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean process
            ? process.getProcessCpuTime()
            : 0;
    return new NodeUsage(
        nodeName,
        clock.millis(),
        cpu / nodes,
        bytes / nodes,
        containers.stream()
            .filter(container -> container.running() && !container.spec().podUid().isEmpty())
            .map(UsageReader::usage)
            .toList());
  }

  private static ContainerUsage usage(ContainerInfo info) {
    return new ContainerUsage(
        info.spec().podName(),
        info.spec().containerName(),
        info.spec().id(),
        info.cpuNs(),
        info.atNs(),
        info.memoryBytes());
  }
}
