/**
 * What makes a build a broken one on purpose, to try the invariants of failure experiments.
 *
 * <pre>
 *   chaos run --defect lose-write --&gt; {@link dev.paramecium.defect.Defect} --&gt; the one place where it strikes
 * </pre>
 *
 * Start at Defect.
 */
@NullMarked
package dev.paramecium.defect;

import org.jspecify.annotations.NullMarked;
