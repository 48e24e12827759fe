/**
 * The processes of a cluster
 *
 * <pre>
 *    how they are configured, started, found again and stopped.
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.cluster.up / demo --ProcessBuilder--> control-plane JVM,
 * node JVMs --pids, ports--> cluster.json:LocalCluster}.
 */
@NullMarked
package dev.paramecium.deploy.cluster;

import org.jspecify.annotations.NullMarked;
