/**
 * A traced packet's observations, put in order and told as the packet walk.
 *
 * <pre>
 *   Observation stream  -->  Walk (request, reply)  -->  WalkPrinter
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.walk.Walk}.
 */
@NullMarked
package dev.paramecium.deploy.walk;

import org.jspecify.annotations.NullMarked;
