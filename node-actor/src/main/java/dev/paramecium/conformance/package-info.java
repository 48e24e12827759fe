/**
 * Replays golden vectors, which say what the real datapath of v1.12.3 did with a packet, and tells
 * where this one differs.
 *
 * <pre>
 *   *.json, *.jsonl.gz --VectorReader--> Vector --Replay: maps, programs--> result --Comparison--> differences
 * </pre>
 *
 * Start at {@link dev.paramecium.conformance.Conformance}.
 */
@NullMarked
package dev.paramecium.conformance;

import org.jspecify.annotations.NullMarked;
