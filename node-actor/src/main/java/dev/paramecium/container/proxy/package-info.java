/**
 * The L7 proxy of a node: what policies redirect reaches it through the node's own stack (TPROXY),
 * is checked, and goes on from there. The HTTP part does what Envoy does with cilium.l7policy, the
 * DNS part what {@code pkg/fqdn/dnsproxy} does.
 */
@NullMarked
package dev.paramecium.container.proxy;

import org.jspecify.annotations.NullMarked;
