/**
 * What components of the cluster say they do, as lines of a log, for the containers that show it.
 *
 * <pre>
 *   operator, agent --LogWriter--&gt; LogBook --Lines--&gt; kubelet's feed --file--&gt; container, which prints
 * </pre>
 *
 * Start at {@link dev.paramecium.log.LogBook}.
 */
@NullMarked
package dev.paramecium.log;

import org.jspecify.annotations.NullMarked;
