/**
 * The sources that a node's XDP program drops.
 *
 * <pre>
 *   cilium prefilter update|delete|list --&gt; Prefilter --UpdateMap, DumpMap--&gt; cilium_cidr_v4_fix, cilium_cidr_v4_dyn
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.prefilter.Prefilter}.
 */
@NullMarked
package dev.paramecium.agent.prefilter;

import org.jspecify.annotations.NullMarked;
