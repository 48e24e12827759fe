/**
 * Events: what components say happened to an object, for people to read.
 *
 * <pre>
 *   scheduler, kubelet, controllers  --Event-->  EventRecorder (counts repeats)  -->  API server
 *                                                                   EventExpiry  --delete after 1 h--^
 * </pre>
 *
 * Start at {@link dev.paramecium.events.EventRecorder}.
 */
@NullMarked
package dev.paramecium.events;

import org.jspecify.annotations.NullMarked;
