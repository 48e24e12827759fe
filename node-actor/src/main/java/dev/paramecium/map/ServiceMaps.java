package dev.paramecium.map;

import dev.paramecium.abi.Lb4AffinityKey;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.LbAffinityValue;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfArrayMap;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.BpfHashOfMaps;
import dev.paramecium.bpf.LpmTrie;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The maps of services: frontends and their backend slots, backends, reverse NAT, session affinity,
 * source ranges, Maglev lookup tables.
 *
 * <pre>
 *   services:  VIP:port, slot 0     → count, rev_nat, flags            reverse_nat: rev_nat → VIP:port
 *              VIP:port, slot 1 … n → backend id --> backends: id → address:port
 *   affinity:  client, rev_nat → backend id, last use                  affinity_match: backend id, rev_nat
 * </pre>
 *
 * A rev_nat index is passed on as it stands in the maps, in network order: only maps that are keyed
 * by it look inside. Ports and addresses are in host order.
 */
public final class ServiceMaps {

  private static final int MATCH_VALUE_SIZE = 1;

  private final BpfHashMap services;
  private final BpfHashMap backends;
  private final BpfHashMap reverseNat;
  private final BpfHashMap affinity;
  private final BpfHashMap affinityMatch;
  private final LpmTrie sourceRange;
  private final BpfHashOfMaps maglev;

  ServiceMaps(IntSupplier ids, int maxEntries) {
    this.services =
        BpfHashMap.hash(
            ids.getAsInt(), MapNames.LB4_SERVICES, Lb4Key.SIZE, Lb4Service.SIZE, maxEntries);
    this.backends =
        BpfHashMap.hash(
            ids.getAsInt(),
            MapNames.LB4_BACKENDS,
            Lb4Backend.KEY_SIZE,
            Lb4Backend.SIZE,
            maxEntries);
    this.reverseNat =
        BpfHashMap.hash(
            ids.getAsInt(),
            MapNames.LB4_REVERSE_NAT,
            Lb4ReverseNat.KEY_SIZE,
            Lb4ReverseNat.SIZE,
            maxEntries);
    this.affinity =
        BpfHashMap.lru(
            ids.getAsInt(),
            MapNames.LB4_AFFINITY,
            Lb4AffinityKey.SIZE,
            LbAffinityValue.SIZE,
            maxEntries);
    this.affinityMatch =
        BpfHashMap.hash(
            ids.getAsInt(),
            MapNames.LB_AFFINITY_MATCH,
            LbAffinityMatch.SIZE,
            MATCH_VALUE_SIZE,
            maxEntries);
    this.sourceRange =
        LpmTrie.withStaticWords(ids.getAsInt(), MapNames.LB4_SOURCE_RANGE, 1, maxEntries);
    this.maglev =
        new BpfHashOfMaps(
            ids.getAsInt(), MapNames.LB4_MAGLEV, maxEntries, ids, MapNames.LB4_MAGLEV_INNER);
  }

  public BpfHashMap services() {
    return services;
  }

  public BpfHashMap backends() {
    return backends;
  }

  public BpfHashMap reverseNat() {
    return reverseNat;
  }

  public BpfHashMap affinity() {
    return affinity;
  }

  public BpfHashMap affinityMatch() {
    return affinityMatch;
  }

  public LpmTrie sourceRange() {
    return sourceRange;
  }

  public BpfHashOfMaps maglev() {
    return maglev;
  }

  // ---- services

  /** The entry of a frontend (slot 0) or of a backend slot, or -1. */
  public int findService(int address, int port, int slot, int scope) {
    return services.find(
        (Integer.reverseBytes(address) & 0xffff_ffffL)
            | (Short.reverseBytes((short) port) & 0xffffL) << 32
            | (long) slot << 48,
        (long) scope << 8);
  }

  /** Of a backend slot the backend's id. */
  public int backendId(int service) {
    return services.i32(service, Lb4Service.BACKEND_ID);
  }

  /** Of a frontend the seconds that a client stays with its backend. */
  public int affinityTimeout(int service) {
    return services.i32(service, Lb4Service.BACKEND_ID);
  }

  public int count(int service) {
    return services.u16(service, Lb4Service.COUNT);
  }

  public int rawRevNatIndex(int service) {
    return services.u16(service, Lb4Service.REV_NAT_INDEX);
  }

  public int flags(int service) {
    return services.u8(service, Lb4Service.FLAGS);
  }

  public int flags2(int service) {
    return services.u8(service, Lb4Service.FLAGS2);
  }

  // ---- backends

  /** The entry of a backend, or -1. */
  public int findBackend(int backendId) {
    return backends.find(backendId & 0xffff_ffffL);
  }

  public int backendAddress(int backend) {
    return Integer.reverseBytes(backends.i32(backend, Lb4Backend.ADDRESS));
  }

  public int backendPort(int backend) {
    return Short.reverseBytes((short) backends.u16(backend, Lb4Backend.PORT)) & 0xffff;
  }

  public int backendState(int backend) {
    return backends.u8(backend, Lb4Backend.FLAGS);
  }

  // ---- reverse NAT

  /** The entry of a rev_nat index, or -1. */
  public int findReverseNat(int rawRevNatIndex) {
    return reverseNat.find(rawRevNatIndex & 0xffffL);
  }

  public int frontendAddress(int entry) {
    return Integer.reverseBytes(reverseNat.i32(entry, Lb4ReverseNat.ADDRESS));
  }

  public int frontendPort(int entry) {
    return Short.reverseBytes((short) reverseNat.u16(entry, Lb4ReverseNat.PORT)) & 0xffff;
  }

  // ---- session affinity: a client is known by its address, or by its network namespace's cookie

  /** The client's id of one that is known by its address. */
  public static long addressId(int client) {
    return Integer.reverseBytes(client) & 0xffff_ffffL;
  }

  /**
   * The entry of a client of a service, or -1.
   *
   * @param netnsCookie whether {@code clientId} is a cookie
   */
  public int findAffinity(long clientId, boolean netnsCookie, int rawRevNatIndex) {
    return affinity.find(clientId, affinityKey(netnsCookie, rawRevNatIndex));
  }

  public long affinityLastUsed(int entry) {
    return affinity.i64(entry, LbAffinityValue.LAST_USED);
  }

  public void setAffinityLastUsed(int entry, long seconds) {
    affinity.setI64(entry, LbAffinityValue.LAST_USED, seconds);
  }

  public int affinityBackendId(int entry) {
    return affinity.i32(entry, LbAffinityValue.BACKEND_ID);
  }

  /**
   * Sends a client to a backend from now on.
   *
   * @param value an image of {@link LbAffinityValue}
   */
  public void updateAffinity(long clientId, boolean netnsCookie, int rawRevNatIndex, byte[] value) {
    affinity.update(clientId, affinityKey(netnsCookie, rawRevNatIndex), value, 0);
  }

  public void deleteAffinity(long clientId, boolean netnsCookie, int rawRevNatIndex) {
    affinity.remove(clientId, affinityKey(netnsCookie, rawRevNatIndex));
  }

  private static long affinityKey(boolean netnsCookie, int rawRevNatIndex) {
    return (rawRevNatIndex & 0xffffL) | (netnsCookie ? 1L << 16 : 0);
  }

  /** Whether a client may stay with the backend. */
  public boolean affinityMatches(int backendId, int rawRevNatIndex) {
    return affinityMatch.find((backendId & 0xffff_ffffL) | (rawRevNatIndex & 0xffffL) << 32) >= 0;
  }

  // ---- Maglev

  /** The lookup table of a service, whose only value is backend ids, or null. */
  public @Nullable BpfArrayMap findMaglev(int rawRevNatIndex) {
    return maglev.find(rawRevNatIndex & 0xffff);
  }

  // ---- source ranges

  /** Whether a client may use a service that has source ranges. */
  public boolean isInSourceRange(int client, int rawRevNatIndex) {
    return sourceRange.find(rawRevNatIndex & 0xffff, client) != null;
  }
}
