package dev.paramecium.syscall;

/** A map's key and value as the kernel holds them. */
public record MapEntry(byte[] key, byte[] value) {}
