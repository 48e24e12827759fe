/**
 * The walk of a packet through a node: devices are actors, programs are functions that program
 * actors own, and {@link dev.paramecium.datapath.Hook} names the places where they meet.
 *
 * <pre>
 *   device --Run(batch)--&gt; ProgramActor --OK--------&gt; the device again: up to the stack or down to the wire
 *                                       --REDIRECT--&gt; another device, by ifindex
 *                                       --SHOT------&gt; the pool
 * </pre>
 *
 * Start at {@link dev.paramecium.datapath.Hook}, then {@link dev.paramecium.datapath.NetDevice}.
 */
@NullMarked
package dev.paramecium.datapath;

import org.jspecify.annotations.NullMarked;
