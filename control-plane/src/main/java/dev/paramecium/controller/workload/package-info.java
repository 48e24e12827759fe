/**
 * Workload controllers: from what a Deployment, DaemonSet, StatefulSet or Job says to pods.
 *
 * <pre>
 *   Deployment --Deployments--> ReplicaSet --ReplicaSets--> Pod
 *   DaemonSet  --DaemonSets---> Pod on each node
 *   StatefulSet -StatefulSets-> Pod name-0, name-1, …
 *   Job        --Jobs---------> Pod until enough have succeeded
 * </pre>
 *
 * Start at {@link dev.paramecium.controller.workload.ReplicaSets}; {@link
 * dev.paramecium.controller.Controller} runs each.
 */
@NullMarked
package dev.paramecium.controller.workload;

import org.jspecify.annotations.NullMarked;
