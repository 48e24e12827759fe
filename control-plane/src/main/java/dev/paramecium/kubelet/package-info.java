/**
 * The kubelet of a node: pods from the API server become containers in the node's kernel; exec and
 * logs come back.
 *
 * <pre>
 *   api-server (REST exec, log)  --KubeletRequest-->  kubelet  --Syscall-->  kernel
 * </pre>
 *
 * Start at {@link dev.paramecium.kubelet.KubeletRequest}.
 */
@NullMarked
package dev.paramecium.kubelet;

import org.jspecify.annotations.NullMarked;
