/**
 * What the kernel gives a program: the packet with its metadata, verdicts, tail calls, maps, a
 * clock and a source of chance.
 *
 * <pre>
 *   SkBuff --> Program.run --> verdict          Program --> BpfMap (shared with userland)
 * </pre>
 *
 * Start at {@link dev.paramecium.bpf.Program}.
 */
@NullMarked
package dev.paramecium.bpf;

import org.jspecify.annotations.NullMarked;
