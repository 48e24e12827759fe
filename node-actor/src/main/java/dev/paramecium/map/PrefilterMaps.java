package dev.paramecium.map;

import dev.paramecium.abi.LpmV4Key;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.LpmTrie;

/**
 * The sources that XDP drops ({@code pkg/datapath/prefilter}): single addresses in a hash map,
 * shorter prefixes in a trie.
 *
 * <pre>
 *   cilium_cidr_v4_fix   198.51.100.7/32        cilium_cidr_v4_dyn   203.0.113.0/24
 * </pre>
 */
public final class PrefilterMaps {

  private static final int FIXED_ENTRIES = 20 << 20;
  private static final int DYNAMIC_ENTRIES = 64 << 10;

  private final BpfHashMap fixed;
  private final LpmTrie dynamic;

  public PrefilterMaps(int fixedId, int dynamicId) {
    this.fixed =
        BpfHashMap.hash(
            fixedId, MapNames.CIDR_V4_FIX, LpmV4Key.SIZE, LpmV4Key.VALUE_SIZE, FIXED_ENTRIES);
    this.dynamic =
        LpmTrie.plain(dynamicId, MapNames.CIDR_V4_DYN, LpmV4Key.VALUE_SIZE, DYNAMIC_ENTRIES);
  }

  /** {@code cilium_cidr_v4_fix}. */
  public BpfHashMap fixed() {
    return fixed;
  }

  /** {@code cilium_cidr_v4_dyn}. */
  public LpmTrie dynamic() {
    return dynamic;
  }

  /** Whether an address in host order stands by itself in the hash map. */
  public boolean hasFixed(int address) {
    return fixed.find((long) Integer.reverseBytes(address) << 32 | Integer.SIZE) >= 0;
  }
}
