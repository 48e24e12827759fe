package dev.paramecium.lib;

import dev.paramecium.abi.LbAffinityValue;
import dev.paramecium.bpf.Clock;
import dev.paramecium.map.ServiceMaps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Who stays with which backend ({@code bpf/lib/lb.h}, {@code lb4_affinity_*}). A packet's client is
 * its source address; a socket's is the cookie of its network namespace.
 */
public final class SessionAffinity {

  private static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final ServiceMaps services;
  private final Clock clock;

  public SessionAffinity(ServiceMaps services, Clock clock) {
    this.services = services;
    this.clock = clock;
  }

  /** {@code lb4_affinity_backend_id}: 0 if the client has none, or had it too long ago. */
  public int backend(int service, long clientId, boolean netnsCookie) {
    int rawRevNatIndex = services.rawRevNatIndex(service);
    int entry = services.findAffinity(clientId, netnsCookie, rawRevNatIndex);
    if (entry < 0) {
      return 0;
    }
    long now = clock.seconds() & 0xffff_ffffL;
    long timeout = services.affinityTimeout(service) & 0xffff_ffffL;
    int backendId = services.affinityBackendId(entry);
    if (services.affinityLastUsed(entry) + timeout <= now
        || !services.affinityMatches(backendId, rawRevNatIndex)) {
      services.deleteAffinity(clientId, netnsCookie, rawRevNatIndex);
      return 0;
    }
    services.setAffinityLastUsed(entry, now);
    return backendId;
  }

  /**
   * {@code lb4_update_affinity}: the client has this backend from now on.
   *
   * @param scratch at least {@link LbAffinityValue#SIZE} bytes
   */
  public void update(
      long clientId, boolean netnsCookie, int rawRevNatIndex, int backendId, byte[] scratch) {
    U64.set(scratch, LbAffinityValue.LAST_USED, clock.seconds() & 0xffff_ffffL);
    U64.set(scratch, LbAffinityValue.BACKEND_ID, backendId & 0xffff_ffffL);
    services.updateAffinity(clientId, netnsCookie, rawRevNatIndex, scratch);
  }
}
