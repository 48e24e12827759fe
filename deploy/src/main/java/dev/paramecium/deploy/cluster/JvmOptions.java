package dev.paramecium.deploy.cluster;

import java.util.List;

/** How large the JVMs of a cluster may grow. Heap that nobody fills is never touched. */
final class JvmOptions {

  /** Of one node: its maps at their full size, and every buffer in use. */
  private static final int NODE_MB = 2048;

  /** Of each further node in the same JVM: what it holds of a cluster of thousands of pods. */
  private static final int FURTHER_NODE_MB = 64;

  private static final int CONTROL_PLANE_MB = 1024;

  /** Of each node in the cluster: its pods' objects, and the history of their changes. */
  private static final int CONTROL_PLANE_NODE_MB = 8;

  /** Of the world outside: a stack and programs for each host, no maps. */
  private static final int WORLD_MB = 512;

  private JvmOptions() {}

  /** For a JVM of {@code count} nodes. */
  static List<String> ofNodes(int count) {
    return with(NODE_MB + (count - 1) * FURTHER_NODE_MB);
  }

  /** For the control plane of {@code nodes} nodes. */
  static List<String> ofControlPlane(int nodes) {
    return with(CONTROL_PLANE_MB + nodes * CONTROL_PLANE_NODE_MB);
  }

  /** For the hosts outside the cluster. */
  static List<String> ofWorld() {
    return with(WORLD_MB);
  }

  private static List<String> with(int heapMb) {
    return List.of("-Xss512k", "-XX:+UseSerialGC", "-Xmx" + heapMb + "m");
  }
}
