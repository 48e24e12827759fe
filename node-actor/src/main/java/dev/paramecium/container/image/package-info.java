/**
 * What an image is in the emulated world: the programs in its PATH and what it runs by default.
 *
 * <pre>
 *   spec.image --Images.find--&gt; Image (entrypoint, programs, note)
 *                                | curlimages/curl, kennethreitz/httpbin, nginx, busybox, agnhost, pause, …
 *                                | unknown: a stand-in that answers on the declared ports
 * </pre>
 *
 * Start at {@link dev.paramecium.container.image.Images}.
 */
@NullMarked
package dev.paramecium.container.image;

import org.jspecify.annotations.NullMarked;
