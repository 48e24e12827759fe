/**
 * Failure experiments with a verdict: {@code paramecium chaos run FILE}.
 *
 * <pre>
 *   {@link dev.paramecium.deploy.experiment.ExperimentFile} --&gt; {@link dev.paramecium.deploy.experiment.ExperimentRun}
 *     a cluster of its own, {@link dev.paramecium.deploy.experiment.Workload}, faults by the clock
 *       --&gt; {@link dev.paramecium.deploy.experiment.History} --&gt; {@link dev.paramecium.deploy.experiment.Invariants} --&gt; {@link dev.paramecium.deploy.experiment.Verdict}
 * </pre>
 *
 * Start at ExperimentRun.
 */
@NullMarked
package dev.paramecium.deploy.experiment;

import org.jspecify.annotations.NullMarked;
