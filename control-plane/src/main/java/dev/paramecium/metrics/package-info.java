/**
 * What nodes and containers use, as metrics-server tells it: {@code kubectl top}.
 *
 * <pre>
 *   kubelets --NodeUsage, when somebody asks--&gt; MetricsServer --Sample pairs: rates--&gt; rest.MetricsApi
 * </pre>
 *
 * Start at {@link dev.paramecium.metrics.MetricsServer}.
 */
@NullMarked
package dev.paramecium.metrics;

import org.jspecify.annotations.NullMarked;
