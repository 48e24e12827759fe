/**
 * The two ends of a measurement between pods, {@code paramecium-load}: what sends and what counts,
 * over the pod's own sockets.
 *
 * <pre>
 *   udp-source --datagrams--&gt; udp-sink      udp-ping &lt;--one in flight--&gt; udp-echo      tcp-source --bytes--&gt; tcp-sink
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.load.Load}.
 */
@NullMarked
package dev.paramecium.container.process.load;

import org.jspecify.annotations.NullMarked;
