package dev.paramecium.lib;

import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.Ipcache;

/**
 * Who sent a packet ({@code bpf/lib/identity.h}, the marks of {@code common.h}).
 *
 * <pre>
 *   mark   | identity, low 16 bits | magic (0x0F00) | identity, high 8 bits |
 *          31                    16 15             8 7                      0
 * </pre>
 */
public final class Identity {

  public static final int HOST = 1;
  public static final int WORLD = 2;

  public static final int MARK_MAGIC_HOST_MASK = 0x0F00;
  public static final int MARK_MAGIC_TO_PROXY = 0x0200;
  public static final int MARK_MAGIC_PROXY_INGRESS = 0x0A00;
  public static final int MARK_MAGIC_PROXY_EGRESS = 0x0B00;
  public static final int MARK_MAGIC_HOST = 0x0C00;
  public static final int MARK_MAGIC_DECRYPT = 0x0D00;
  public static final int MARK_MAGIC_ENCRYPT = 0x0E00;
  public static final int MARK_MAGIC_IDENTITY = 0x0F00;
  public static final int MARK_MAGIC_SNAT_DONE = 0x1500;

  private static final int MARK_MAGIC_KEY_MASK = 0xFF00;

  // Bits of tc_index.
  public static final int SKIP_INGRESS_PROXY = 1;
  public static final int SKIP_EGRESS_PROXY = 2;
  public static final int SKIP_NODEPORT = 4;
  public static final int SKIP_RECIRCULATION = 8;

  private Identity() {}

  /** Whether NodePort has translated the packet already. */
  public static boolean isSnatDone(int mark) {
    return (mark & MARK_MAGIC_SNAT_DONE) == MARK_MAGIC_SNAT_DONE;
  }

  /** {@code get_identity}. */
  public static int ofMark(int mark) {
    return (mark & 0xff) << 16 | mark >>> 16;
  }

  /** {@code set_identity_mark}; the magic stays. */
  public static int withIdentity(int mark, int identity) {
    return mark & MARK_MAGIC_KEY_MASK | (identity & 0xffff) << 16 | (identity & 0xff0000) >>> 16;
  }

  /**
   * {@code inherit_identity_from_host}: reads who sent a packet that comes from the stack, tells
   * later policy not to send it to the proxy that it comes from, and clears the mark, so that no
   * routing rule matches it again. Without ENABLE_L7_LB an endpoint's id in the mark
   * (MARK_MAGIC_PROXY_EGRESS_EPID) says as little as any other mark.
   */
  public static int inheritFromHost(SkBuff packet) {
    int mark = packet.mark;
    packet.mark = 0;
    return switch (mark & MARK_MAGIC_HOST_MASK) {
      case MARK_MAGIC_PROXY_INGRESS -> {
        packet.tcIndex |= SKIP_INGRESS_PROXY;
        yield ofMark(mark);
      }
      case MARK_MAGIC_PROXY_EGRESS -> {
        packet.tcIndex |= SKIP_EGRESS_PROXY;
        yield ofMark(mark);
      }
      case MARK_MAGIC_IDENTITY -> ofMark(mark);
      case MARK_MAGIC_HOST -> HOST;
      case MARK_MAGIC_ENCRYPT -> packet.cb1;
      default -> WORLD;
    };
  }

  /**
   * Replaces an identity that says little by what the ipcache knows of the source address. That it
   * is the host's is not believed: what was masqueraded has the host's address too.
   */
  public static int resolveSource(
      SkBuff packet, int identity, Ipcache ipcache, TraceRecorder recorder) {
    if (!ReservedIdentity.isReplaceable(identity)) {
      return identity;
    }
    int address = Ipv4Header.saddr(packet);
    LpmTrie.Entry entry = ipcache.lookup(address);
    if (packet.traced) {
      Lookups.ipcache(packet, recorder, address, entry);
    }
    int known = entry == null ? 0 : Ipcache.securityIdentity(entry);
    return known == 0 || known == HOST ? identity : known;
  }
}
