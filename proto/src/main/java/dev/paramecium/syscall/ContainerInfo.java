package dev.paramecium.syscall;

/**
 * A container as its runtime shows it.
 *
 * @param spec what it was started with
 * @param running false once its main process has ended
 * @param exitCode of the main process; 0 while it runs
 * @param cpuNs how long its namespace's thread has worked for its programs, since it was started
 * @param atNs when that was, on the node's monotonic clock
 * @param memoryBytes what is kept for it: its files and its log
 */
public record ContainerInfo(
    ContainerSpec spec, boolean running, int exitCode, long cpuNs, long atNs, long memoryBytes) {}
