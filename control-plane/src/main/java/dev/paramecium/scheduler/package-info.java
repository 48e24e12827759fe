/**
 * kube-scheduler: which node a pod runs on.
 *
 * <pre>
 *   Pod without nodeName  --Scheduler: filter (Fit over a Placement), score (load)-->  Pod.spec.nodeName
 * </pre>
 *
 * Start at {@link dev.paramecium.scheduler.Scheduler}.
 */
@NullMarked
package dev.paramecium.scheduler;

import org.jspecify.annotations.NullMarked;
