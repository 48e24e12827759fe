/**
 * What a new cluster is given to begin with: Cilium's own pods, names, Hubble's relay.
 *
 * <pre>
 *   at once                      cilium.yaml, and the ConfigMap cilium-config
 *   when the nodes have settled  coredns.yaml, hubble-relay.yaml
 * </pre>
 *
 * Start at {@link dev.paramecium.addons.Addons}.
 */
@NullMarked
package dev.paramecium.addons;

import org.jspecify.annotations.NullMarked;
