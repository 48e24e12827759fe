/**
 * cilium-health: whether the cluster's nodes and their health endpoints answer from here ({@code
 * pkg/health}, {@code cilium-health/launch}).
 *
 * <pre>
 *   CiliumAgent --Target--&gt; HealthProber --Ping, HttpGet--&gt; kernel ~ packets ~ HealthResponder
 *   cilium status, cilium-health --Read--&gt; HealthProber --HealthReport--&gt;
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.health.HealthProber}.
 */
@NullMarked
package dev.paramecium.agent.health;

import org.jspecify.annotations.NullMarked;
