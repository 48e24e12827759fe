package dev.paramecium.container.process.dns;

import dev.paramecium.abi.Ipv4Address;
import java.util.Arrays;
import java.util.Locale;

/**
 * A resource record of class IN (RFC 1035, 3.2).
 *
 * @param name without the dot at its end, in lower case
 * @param ttl in seconds
 */
public record DnsRecord(String name, int ttl, Data data) {

  public static final int A = 1;
  public static final int NS = 2;
  public static final int CNAME = 5;
  public static final int SOA = 6;
  public static final int PTR = 12;
  public static final int TXT = 16;
  public static final int AAAA = 28;
  public static final int SRV = 33;
  public static final int OPT = 41;
  public static final int ANY = 255;

  public DnsRecord {
    name = name.toLowerCase(Locale.ROOT);
  }

  public int type() {
    return data.type();
  }

  /** What a record says. */
  public sealed interface Data {

    int type();

    record Address(Ipv4Address address) implements Data {
      @Override
      public int type() {
        return A;
      }
    }

    /** Another name: CNAME, PTR or NS. */
    record Pointer(int type, String target) implements Data {}

    /** RFC 2782. */
    record Service(int priority, int weight, int port, String target) implements Data {
      @Override
      public int type() {
        return SRV;
      }
    }

    /** RFC 1035, 3.3.13. */
    record Authority(
        String primary, String mailbox, int serial, int refresh, int retry, int expire, int minimum)
        implements Data {
      @Override
      public int type() {
        return SOA;
      }
    }

    /** A type that nothing here looks into. */
    record Opaque(int type, byte[] bytes) implements Data {

      @Override
      public boolean equals(Object other) {
        return other instanceof Opaque opaque
            && type == opaque.type
            && Arrays.equals(bytes, opaque.bytes);
      }

      @Override
      public int hashCode() {
        return 31 * type + Arrays.hashCode(bytes);
      }
    }
  }

  /** The name of a type; {@code TYPE64} for one without (RFC 3597, 5). */
  public static String typeName(int type) {
    return switch (type) {
      case A -> "A";
      case NS -> "NS";
      case CNAME -> "CNAME";
      case SOA -> "SOA";
      case PTR -> "PTR";
      case TXT -> "TXT";
      case AAAA -> "AAAA";
      case SRV -> "SRV";
      case ANY -> "ANY";
      default -> "TYPE" + type;
    };
  }

  /**
   * The number of a type by its name, as {@code nslookup -type=} takes it; 0 for an unknown one.
   */
  public static int typeOf(String name) {
    return switch (name.toUpperCase(Locale.ROOT)) {
      case "A" -> A;
      case "NS" -> NS;
      case "CNAME" -> CNAME;
      case "SOA" -> SOA;
      case "PTR" -> PTR;
      case "TXT" -> TXT;
      case "AAAA" -> AAAA;
      case "SRV" -> SRV;
      case "ANY" -> ANY;
      default -> 0;
    };
  }
}
