/**
 * Queueing disciplines: what a device's link does to packets on purpose, for failure experiments.
 * After tc's egress hook, before the driver, as in the kernel.
 */
@NullMarked
package dev.paramecium.datapath.qdisc;

import org.jspecify.annotations.NullMarked;
