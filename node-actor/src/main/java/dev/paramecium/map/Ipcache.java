package dev.paramecium.map;

import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.bpf.LpmTrie;
import org.jspecify.annotations.Nullable;

/** {@code cilium_ipcache}: address → security identity and the node to tunnel to. */
public final class Ipcache {

  /** Three bytes of padding and ENDPOINT_KEY_IPV4, as the machine reads them. */
  private static final int FAMILY_IPV4 = 1 << 24;

  private final LpmTrie trie;

  Ipcache(int id, int maxEntries) {
    this.trie =
        LpmTrie.withStaticWord(
            id,
            MapNames.IPCACHE,
            IpcacheKey.SIZE,
            RemoteEndpointInfo.SIZE,
            maxEntries,
            FAMILY_IPV4);
  }

  public LpmTrie map() {
    return trie;
  }

  /** {@code ipcache_lookup4}: the entry of the longest prefix that covers an address. */
  public LpmTrie.@Nullable Entry lookup(int address) {
    return trie.find(address);
  }

  public static int securityIdentity(LpmTrie.Entry entry) {
    return entry.i32(RemoteEndpointInfo.SEC_LABEL);
  }

  /** The node's address in host order, 0 for none. */
  public static int tunnelEndpoint(LpmTrie.Entry entry) {
    return Integer.reverseBytes(entry.i32(RemoteEndpointInfo.TUNNEL_ENDPOINT));
  }

  /**
   * {@code 10.42.0.0/24}: the prefix that matched, as {@code cilium bpf ipcache list} prints it.
   */
  public static String keyText(LpmTrie.Entry entry) {
    return new Ipv4Prefix(new Ipv4Address(entry.address()), entry.length()).toString();
  }

  /** {@code identity=15773 encryptkey=0 tunnelendpoint=192.168.1.13}. */
  public static String valueText(LpmTrie.Entry entry) {
    return new RemoteEndpointInfo(
            securityIdentity(entry),
            new Ipv4Address(tunnelEndpoint(entry)),
            entry.u8(RemoteEndpointInfo.KEY))
        .toString();
  }
}
