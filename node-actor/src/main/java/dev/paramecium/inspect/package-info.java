/**
 * The tools that an operator looks at a node with ({@code ip}, {@code arp}, {@code tc}, {@code
 * bpftool}, {@code tcpdump}, {@code cilium bpf}, {@code cilium monitor}), printing what the real
 * ones print.
 *
 * <pre>
 *   exec  --argv--&gt;  HostTools: name --&gt; Executable --+--reads--&gt;      KernelView (snapshots)
 *                                                     +--subscribes--&gt; EventQueue &lt;--offer-- devices
 *                                                     +--reads--&gt;      perf rings &lt;--output-- programs
 *                                                     +--prints--&gt;     ProcessContext
 * </pre>
 *
 * Start at {@link dev.paramecium.inspect.HostTools}.
 */
@NullMarked
package dev.paramecium.inspect;

import org.jspecify.annotations.NullMarked;
