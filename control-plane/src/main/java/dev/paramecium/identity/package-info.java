/**
 * Security identities: which labels of a pod make one, which number a label set gets, and how both
 * stand in a CiliumIdentity. Operator and agent must agree on all of it, so it is written once.
 *
 * <pre>
 *   Pod + Namespace labels  --SecurityLabels-->  k8s:app=curl, …  --IdentityNumbers-->  15773, 402, …
 *                                                     |
 *                                              CiliumIdentities: the object of a number
 * </pre>
 *
 * Start at {@link dev.paramecium.identity.SecurityLabels}.
 */
@NullMarked
package dev.paramecium.identity;

import org.jspecify.annotations.NullMarked;
