package dev.paramecium.syscall;

/**
 * Which part of a container's log to read.
 *
 * @param tailLines how many last lines, or -1 for all
 * @param sinceEpochMs only lines written at or after this time, or 0
 */
public record LogRequest(
    String containerId, boolean follow, int tailLines, long sinceEpochMs, boolean timestamps) {}
