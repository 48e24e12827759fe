/**
 * cilium-operator: what must be decided once for the whole cluster.
 *
 * <pre>
 *   CiliumNode without podCIDRs  --NodeIpam-->           CiliumNode.spec.ipam.podCIDRs, Node.spec.podCIDR
 *   Pod (its label set)          --IdentityAllocator-->  CiliumIdentity
 * </pre>
 *
 * Start at {@link dev.paramecium.operator.Operator}.
 */
@NullMarked
package dev.paramecium.operator;

import org.jspecify.annotations.NullMarked;
