/**
 * Rules: what a policy says, read from Kubernetes objects, judged as the agent judges it, and put
 * into the one form that the agent keeps.
 *
 * <pre>
 *   NetworkPolicy            --KubernetesPolicy--+
 *   CiliumNetworkPolicy      --CiliumPolicy------+-->  RuleValidation  -->  PolicyRule
 *   cilium policy import     --CiliumPolicy------+
 * </pre>
 *
 * Start at {@link dev.paramecium.policy.rule.PolicyRule}.
 */
@NullMarked
package dev.paramecium.policy.rule;

import org.jspecify.annotations.NullMarked;
