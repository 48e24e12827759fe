package dev.paramecium.syscall;

/**
 * A map as {@code bpftool map show} sees it.
 *
 * @param type the kernel's name: {@code hash}, {@code lru_hash}, {@code lpm_trie}, {@code
 *     prog_array}, {@code percpu_hash}, …
 */
public record MapInfo(
    int id, String name, String type, int keySize, int valueSize, int maxEntries, int entries) {}
