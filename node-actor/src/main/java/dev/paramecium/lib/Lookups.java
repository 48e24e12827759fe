package dev.paramecium.lib;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.EndpointMap;
import dev.paramecium.map.Ipcache;
import org.jspecify.annotations.Nullable;

/** Tells a trace what maps answered. */
public final class Lookups {

  private Lookups() {}

  public static void ipcache(
      SkBuff packet, TraceRecorder recorder, int address, LpmTrie.@Nullable Entry entry) {
    recorder.lookup(
        packet,
        MapNames.IPCACHE,
        entry == null ? new Ipv4Address(address) + "/32" : Ipcache.keyText(entry),
        entry == null ? "" : Ipcache.valueText(entry));
  }

  public static void endpoint(
      SkBuff packet, TraceRecorder recorder, EndpointMap lxc, int address, int entry) {
    recorder.lookup(
        packet, MapNames.LXC, EndpointMap.keyText(address), lxc.valueText(entry, address));
  }
}
