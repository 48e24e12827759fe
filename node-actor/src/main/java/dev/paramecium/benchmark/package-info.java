/**
 * What the programs cost, on the maps of the reference walk's node.
 *
 * <pre>
 *   ReferenceNode: maps, programs --&gt; ProgramBenchmark --&gt; nanoseconds and bytes a packet
 * </pre>
 *
 * Start at {@link dev.paramecium.benchmark.ProgramBenchmark}.
 */
@NullMarked
package dev.paramecium.benchmark;

import org.jspecify.annotations.NullMarked;
