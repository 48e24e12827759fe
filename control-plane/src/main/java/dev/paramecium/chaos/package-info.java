/**
 * Failure experiments as Kubernetes objects, in the words of Chaos Mesh 2 ({@code
 * chaos-mesh.org/v1alpha1}).
 *
 * <pre>
 *   NetworkChaos --{@link dev.paramecium.chaos.NetworkChaoses}: which pods--&gt; its status' records
 *     --{@link dev.paramecium.chaos.PodNetworkChaoses}: what each pod's link has to do--&gt; PodNetworkChaos
 *       --{@link dev.paramecium.chaos.ChaosDaemon}, on the pod's node--&gt; the kernel's link faults
 *   PartitionChaos --{@link dev.paramecium.chaos.PartitionChaoses}--&gt; its status' records
 *     --{@link dev.paramecium.chaos.NodeNetworkChaoses}--&gt; NodeNetworkChaos --ChaosDaemon--&gt; the node's eth0
 *   PodChaos --{@link dev.paramecium.chaos.PodChaoses}--&gt; pods deleted; or its status' records
 *     --{@link dev.paramecium.chaos.PodFailures}--&gt; the pods' images
 *     --{@link dev.paramecium.chaos.ContainerKills}, by an Executor on the pod's node--&gt; the kernel
 *   Schedule --{@link dev.paramecium.chaos.Schedules}--&gt; NetworkChaos, PodChaos
 * </pre>
 */
@NullMarked
package dev.paramecium.chaos;

import org.jspecify.annotations.NullMarked;
