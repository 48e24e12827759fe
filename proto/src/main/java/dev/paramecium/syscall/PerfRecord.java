package dev.paramecium.syscall;

/**
 * One record of {@code cilium_events}, laid out as section 11 of the facts and {@code
 * bpf/lib/{trace,drop,policy_log}.h} say, captured packet bytes included.
 *
 * @param lost how many records were lost before this one because the reader was slow
 */
public record PerfRecord(int cpu, long timestampNs, byte[] bytes, long lost) {}
