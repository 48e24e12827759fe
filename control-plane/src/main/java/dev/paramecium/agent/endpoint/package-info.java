/**
 * Cilium's endpoints: one actor for each, from CNI ADD to CNI DEL.
 *
 * <pre>
 *   veth pair, address --> waiting-for-identity --> waiting-to-regenerate --> regenerating --> ready
 *                              (labels)             load bpf_lxc.o, policy map,
 *                                                   then cilium_lxc and ipcache, then CiliumEndpoint
 *   ready --> disconnecting --> disconnected
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.endpoint.Endpoint}.
 */
@NullMarked
package dev.paramecium.agent.endpoint;

import org.jspecify.annotations.NullMarked;
