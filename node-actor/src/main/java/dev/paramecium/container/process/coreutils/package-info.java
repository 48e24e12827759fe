/**
 * The small programs that every container has: {@code sleep}, {@code echo}, {@code cat}, {@code
 * ls}, {@code wc}, … as BusyBox and coreutils print them.
 *
 * <pre>
 *   Coreutils.programs()  --name--&gt;  one Executable each
 *                                     | at once: echo, ls, date        | over time: Sleep
 *                                     | over a stream: Filter (cat, head, wc, grep, sha256sum)
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.coreutils.Coreutils}.
 */
@NullMarked
package dev.paramecium.container.process.coreutils;

import org.jspecify.annotations.NullMarked;
