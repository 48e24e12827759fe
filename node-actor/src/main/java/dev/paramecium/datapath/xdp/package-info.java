/**
 * What runs at the node's native device before everything else.
 *
 * <pre>
 *   underlay --&gt; [eth0] --XDP: from-netdev--&gt; XDP_PASS  taps, tc ingress (from-netdev of bpf_host), stack
 *                                         --&gt; XDP_DROP  CIDR prefilter
 *                                         --&gt; XDP_TX    NodePort: to a backend elsewhere, or back to its client
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.xdp.BpfXdp}.
 */
@NullMarked
package dev.paramecium.datapath.xdp;

import org.jspecify.annotations.NullMarked;
