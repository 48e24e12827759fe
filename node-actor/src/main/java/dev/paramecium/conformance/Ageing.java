package dev.paramecium.conformance;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.map.CiliumMaps;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/**
 * How many seconds went by before a packet. Vectors give times relative to their own moment, and
 * the recorder's clock ran on between two dumps: entries that a packet did not touch tell by how
 * much.
 */
final class Ageing {

  private Ageing() {}

  /**
   * @param now of the state that the maps are in
   */
  static int between(Fields step, CiliumMaps maps, int now) throws MalformedVectorException {
    Map<String, CtEntry> before = new HashMap<>();
    maps.conntrack().tcp().forEach((key, value) -> put(before, key, value));
    maps.conntrack().any().forEach((key, value) -> put(before, key, value));
    int seconds = 0;
    for (Fields after : step.objects("ct_after")) {
      CtEntry entry = before.get(after.text("key"));
      if (entry != null) {
        seconds = Math.max(seconds, elapsed(entry, after, now));
      }
    }
    return seconds;
  }

  private static void put(Map<String, CtEntry> entries, byte[] key, byte[] value) {
    entries.put(HexFormat.of().formatHex(key), CtEntry.decode(value));
  }

  private static int elapsed(CtEntry entry, Fields after, int now) throws MalformedVectorException {
    int seconds =
        Math.max(
            growth(after, "last_tx_report_age", entry.lastTxReport(), now),
            growth(after, "last_rx_report_age", entry.lastRxReport(), now));
    boolean untouched =
        after.number("rx_packets") == entry.rxPackets()
            && after.number("tx_packets") == entry.txPackets()
            && (entry.rxPackets() | entry.txPackets()) != 0;
    return untouched
        ? Math.max(seconds, entry.lifetime() - now - after.word("lifetime_minus_now"))
        : seconds;
  }

  private static int growth(Fields after, String field, int report, int now)
      throws MalformedVectorException {
    return report != 0 && after.has(field) ? after.word(field) - (now - report) : 0;
  }
}
