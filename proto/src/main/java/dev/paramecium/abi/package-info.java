/**
 * What a node's kernel and its userland agree on byte for byte: addresses and the layouts of
 * Cilium's map records, the counterpart of {@code bpf/lib/common.h} and {@code pkg/maps}.
 *
 * <pre>
 *   control-plane (agent)  --encode-->  byte[] key, byte[] value  --decode-->  node-actor (maps, dumps)
 * </pre>
 *
 * Start at {@link dev.paramecium.abi.RemoteEndpointInfo}, a record like the others; events are
 * {@link dev.paramecium.abi.MonitorEvent}s.
 */
@NullMarked
package dev.paramecium.abi;

import org.jspecify.annotations.NullMarked;
