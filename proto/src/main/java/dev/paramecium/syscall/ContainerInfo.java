package dev.paramecium.syscall;

/**
 * A container as its runtime shows it.
 *
 * @param spec what it was started with
 * @param running false once its main process has ended
 * @param exitCode of the main process; 0 while it runs
 */
public record ContainerInfo(ContainerSpec spec, boolean running, int exitCode) {}
