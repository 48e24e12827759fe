/**
 * Policy on one node: what the API server's objects say, as the entries of its endpoints' policy
 * maps and the identities of address blocks.
 *
 * <pre>
 *   CiliumAgent  --objects-->  NodePolicy  --EndpointMap-->  endpoint.Endpoint  -->  cilium_policy_NNNNN
 *                                  '------Claim----------->  desired.DesiredState -> cilium_ipcache
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.policy.NodePolicy}; how rules become entries is in {@link
 * dev.paramecium.policy}.
 */
@NullMarked
package dev.paramecium.agent.policy;

import org.jspecify.annotations.NullMarked;
