/**
 * Following single packets through a node and telling each step.
 *
 * <pre>
 *   TraceFilter --arm--&gt; PacketTrace --mark--&gt; packet.traced --observe(Sight, Step)--&gt; Observation
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.trace.PacketTrace}.
 */
@NullMarked
package dev.paramecium.datapath.trace;

import org.jspecify.annotations.NullMarked;
