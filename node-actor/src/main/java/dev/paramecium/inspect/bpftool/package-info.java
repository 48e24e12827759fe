/**
 * {@code bpftool} 7.1: what is loaded and attached, and what the maps hold, byte for byte.
 *
 * <pre>
 *   Bpftool --object--&gt; NetCommand | ProgCommand | MapCommand | CgroupCommand --reads--&gt; KernelView
 * </pre>
 *
 * Start at {@link dev.paramecium.inspect.bpftool.Bpftool}.
 */
@NullMarked
package dev.paramecium.inspect.bpftool;

import org.jspecify.annotations.NullMarked;
