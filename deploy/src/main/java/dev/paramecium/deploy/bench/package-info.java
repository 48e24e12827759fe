/**
 * The benchmarks of {@code paramecium bench}: what the emulation reaches beside what plain C over
 * the host's own sockets reaches, in the same run, and what v1.12.3's programs were measured at.
 *
 * <pre>
 *   Testbed: two node JVMs, a pod on each -- paramecium-load --+
 *   ReferenceProgram: two C processes  -- the same arguments --+--&gt; PathBenchmark --&gt; Row: figure, reference, ratio, target
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.bench.PathBenchmark}.
 */
@NullMarked
package dev.paramecium.deploy.bench;

import org.jspecify.annotations.NullMarked;
