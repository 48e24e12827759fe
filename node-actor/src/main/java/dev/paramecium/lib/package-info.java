/**
 * The steps that programs share, as Cilium's {@code bpf/lib}: one file per concern, no state of its
 * own beside the maps.
 *
 * <pre>
 *   program --> Conntrack.lookup4 --> Policy.canEgress4 --> LocalDelivery | Encap --> verdict
 *                     \_____________________ PerCpu: tuple, ct_state _____________/
 * </pre>
 *
 * A step answers 0 or a verdict if it is done, the negative of a drop reason if the packet is to be
 * dropped. Start at {@link dev.paramecium.lib.ProgramContext}, then {@link
 * dev.paramecium.lib.Conntrack}.
 */
@NullMarked
package dev.paramecium.lib;

import org.jspecify.annotations.NullMarked;
