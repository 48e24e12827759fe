/**
 * Addresses of one node's pods.
 *
 * <pre>
 *   pod CIDR 10.42.1.0/24  --AddressPool-->  router, health endpoint, pods
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.ipam.AddressPool}.
 */
@NullMarked
package dev.paramecium.agent.ipam;

import org.jspecify.annotations.NullMarked;
