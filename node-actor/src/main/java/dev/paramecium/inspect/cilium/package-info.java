/**
 * {@code cilium bpf} and {@code cilium monitor} of v1.12.3: the sub-commands of {@code cilium} that
 * need the kernel and not the agent.
 *
 * <pre>
 *   CiliumCommand --bpf------&gt; BpfCommand --decodes--&gt; maps (abi records)
 *                 --monitor--&gt; Monitor &lt;--perf rings-- cilium_events;  MonitorFormat, Dissection print
 * </pre>
 *
 * Start at {@link dev.paramecium.inspect.cilium.CiliumCommand}.
 */
@NullMarked
package dev.paramecium.inspect.cilium;

import org.jspecify.annotations.NullMarked;
