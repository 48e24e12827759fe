/**
 * Figures that take long, and pictures of them.
 *
 * <pre>
 *   MapSizeBenchmark --&gt; table on stdout, docs/cost-by-map-size.svg (LinePlot)
 * </pre>
 */
@NullMarked
package dev.paramecium.benchmark;

import org.jspecify.annotations.NullMarked;
