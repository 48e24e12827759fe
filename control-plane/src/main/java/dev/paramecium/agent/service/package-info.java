/**
 * Services as the node's load balancer knows them ({@code pkg/service}, {@code pkg/maps/lbmap},
 * {@code pkg/maglev}): whoever wants a service, Kubernetes or an operator's command, asks {@link
 * dev.paramecium.agent.service.Services}, which gives it ids and says which map entries follow.
 *
 * <pre>
 *   ServiceSpec --Services: service id, backend ids--&gt; Service --LbMaps--&gt; changes of cilium_lb4_*  --&gt; reconciler
 *                                                                 `--Maglev: lookup table
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.service.Services}.
 */
@NullMarked
package dev.paramecium.agent.service;

import org.jspecify.annotations.NullMarked;
