/**
 * The controllers of kube-controller-manager.
 *
 * <pre>
 *   Leases of nodes  --NodeLifecycle-->        Ready=Unknown, taints, Pod Ready=False
 *   Taints, Pods     --TaintEvictions-->       pods that do not tolerate NoExecute (any longer) go
 *   Nodes, Pods      --PodGarbageCollector-->  pods that no kubelet will confirm are removed
 *   Service + Pods   --ServiceEndpoints->      Endpoints, EndpointSlice
 *   Services         --LoadBalancerAddresses-> an address of the cluster's pool for a LoadBalancer
 *   workloads        --workload---------->     Pods
 *
 *   watches --> Controller --(key, cache)--> Reconciler --Plan of Writes--> API server
 * </pre>
 *
 * Start at {@link dev.paramecium.controller.Controller}, which runs a {@link
 * dev.paramecium.controller.Reconciler}.
 */
@NullMarked
package dev.paramecium.controller;

import org.jspecify.annotations.NullMarked;
