package dev.paramecium.map;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashMap;

/**
 * {@code cilium_ct4_global} for TCP and {@code cilium_ct_any4_global} for everything else, the
 * RELATED entries of TCP connections included.
 */
public final class ConntrackMaps {

  private final BpfHashMap tcp;
  private final BpfHashMap any;

  ConntrackMaps(int tcpId, int anyId, int tcpEntries, int anyEntries) {
    this.tcp = BpfHashMap.lru(tcpId, MapNames.CT4_GLOBAL, CtTuple.SIZE, CtEntry.SIZE, tcpEntries);
    this.any =
        BpfHashMap.lru(anyId, MapNames.CT_ANY4_GLOBAL, CtTuple.SIZE, CtEntry.SIZE, anyEntries);
  }

  public BpfHashMap tcp() {
    return tcp;
  }

  public BpfHashMap any() {
    return any;
  }

  /** {@code get_ct_map4}. */
  public BpfHashMap of(int protocol) {
    return protocol == IpProtocol.TCP ? tcp : any;
  }
}
