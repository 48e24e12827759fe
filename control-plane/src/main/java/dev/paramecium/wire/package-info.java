/**
 * What two members of one build say to each other about a node: exec, logs, traces, status.
 *
 * <pre>
 *   api-server  --KubeletRequest, ExecInput-->   Kryo over Artery  -->  kubelet
 *               <--ExecOutput, Observation--
 * </pre>
 *
 * Start at {@link dev.paramecium.wire.KryoSerializer}.
 */
@NullMarked
package dev.paramecium.wire;

import org.jspecify.annotations.NullMarked;
