/**
 * {@code curl} 8, as {@code curlimages/curl} has it: HTTP only, with curl's options, messages and
 * exit codes; and {@code wget} of BusyBox on the same transfers.
 *
 * <pre>
 *   argv --CurlOptions--&gt; Curl (one URL after another) --Transfer--&gt; resolve, connect, send, receive
 *                                                        | Verbose     -v
 *                                                        | Meter       progress
 *                                                        | WriteOut    -w
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.curl.Curl}.
 */
@NullMarked
package dev.paramecium.container.process.curl;

import org.jspecify.annotations.NullMarked;
