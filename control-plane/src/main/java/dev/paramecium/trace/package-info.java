/**
 * Traces over all nodes: the taps are set on every node, what they see comes here.
 *
 * <pre>
 *   POST /traces  -->  TraceSession  --ArmTrace-->  every kubelet
 *   NDJSON        <--                <--Observation--
 * </pre>
 *
 * Start at {@link dev.paramecium.trace.TraceSession}.
 */
@NullMarked
package dev.paramecium.trace;

import org.jspecify.annotations.NullMarked;
