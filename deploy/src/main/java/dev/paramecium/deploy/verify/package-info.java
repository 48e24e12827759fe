/**
 * Connectivity tests: who should reach whom, asked of a cluster by real packets.
 *
 * <pre>
 *   file --TestFile--> ConnectivityTest --Verification--> Report --MatrixPrinter, JunitXml, ReportJson-->
 *                                           |    |
 *                       World (objects, and when the maps have them)
 *                                                Prober (packets, and which rule decided)
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.verify.Verification}.
 */
@NullMarked
package dev.paramecium.deploy.verify;

import org.jspecify.annotations.NullMarked;
