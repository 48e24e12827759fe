/**
 * The kubelet of a node: it registers the Node and keeps its status fresh, pods from the API server
 * become containers in the node's kernel, exec and logs come back.
 *
 * <pre>
 *   api-server (REST exec, log)  --KubeletRequest-->  Kubelet  --Syscall-->  kernel
 *                                                        |
 *   Pod on this node  ----------------------->  PodWorker, one per pod
 *                                                  |-- CNI ADD, DEL --> cilium-agent
 *                                                  |-- containers   --> kernel
 *                                                  `-- ContainerLife: hooks, probes (ProbeWorker)
 * </pre>
 *
 * Start at {@link dev.paramecium.kubelet.Kubelet}.
 */
@NullMarked
package dev.paramecium.kubelet;

import org.jspecify.annotations.NullMarked;
