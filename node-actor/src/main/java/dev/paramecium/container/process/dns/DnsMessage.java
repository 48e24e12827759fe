package dev.paramecium.container.process.dns;

import dev.paramecium.container.process.dns.DnsRecord.Data;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A DNS message (RFC 1035, 4.1).
 *
 * @param id 16 bits, the same in query and answer
 * @param response QR
 * @param opcode 0 for a standard query
 * @param authoritative AA
 * @param truncated TC: the whole answer is to be had over TCP
 * @param recursionDesired RD
 * @param recursionAvailable RA
 * @param responseCode one of the constants below
 * @param udpSize what the sender takes over UDP: 512, or what its OPT record says (RFC 6891)
 */
public record DnsMessage(
    int id,
    boolean response,
    int opcode,
    boolean authoritative,
    boolean truncated,
    boolean recursionDesired,
    boolean recursionAvailable,
    int responseCode,
    int udpSize,
    List<Question> questions,
    List<DnsRecord> answers,
    List<DnsRecord> authority,
    List<DnsRecord> additional) {

  public static final int NOERROR = 0;
  public static final int FORMERR = 1;
  public static final int SERVFAIL = 2;
  public static final int NXDOMAIN = 3;
  public static final int NOTIMP = 4;
  public static final int REFUSED = 5;

  /** The port of both UDP and TCP. */
  public static final int PORT = 53;

  /** The largest message over UDP without EDNS (RFC 1035, 4.2.1). */
  public static final int PLAIN_UDP_SIZE = 512;

  public static final int CLASS_IN = 1;

  public DnsMessage {
    questions = List.copyOf(questions);
    answers = List.copyOf(answers);
    authority = List.copyOf(authority);
    additional = List.copyOf(additional);
  }

  /**
   * What is asked.
   *
   * @param name as it was written, without the dot at its end
   */
  public record Question(String name, int type, int dnsClass) {}

  /** A recursive query for one type of records. */
  public static DnsMessage query(int id, String name, int type) {
    return new DnsMessage(
        id,
        false,
        0,
        false,
        false,
        true,
        false,
        NOERROR,
        PLAIN_UDP_SIZE,
        List.of(new Question(name, type, CLASS_IN)),
        List.of(),
        List.of(),
        List.of());
  }

  /** An answer to this query. */
  public DnsMessage answer(
      int code, boolean isAuthoritative, List<DnsRecord> records, List<DnsRecord> more) {
    return new DnsMessage(
        id,
        true,
        opcode,
        isAuthoritative,
        false,
        recursionDesired,
        !isAuthoritative,
        code,
        PLAIN_UDP_SIZE,
        questions,
        records,
        List.of(),
        more);
  }

  /** The same with a zone's SOA where no records are: NXDOMAIN, or a name without that type. */
  public DnsMessage nothing(int code, DnsRecord soa) {
    DnsMessage empty = answer(code, true, List.of(), List.of());
    return empty.with(List.of(), List.of(soa), List.of(), false);
  }

  /** As much of it as a client takes over UDP. */
  DnsMessage truncate() {
    return with(List.of(), List.of(), List.of(), true);
  }

  DnsMessage withId(int other) {
    return new DnsMessage(
        other,
        response,
        opcode,
        authoritative,
        truncated,
        recursionDesired,
        recursionAvailable,
        responseCode,
        udpSize,
        questions,
        answers,
        authority,
        additional);
  }

  private DnsMessage with(
      List<DnsRecord> records, List<DnsRecord> of, List<DnsRecord> more, boolean cut) {
    return new DnsMessage(
        id,
        response,
        opcode,
        authoritative,
        cut,
        recursionDesired,
        recursionAvailable,
        responseCode,
        udpSize,
        questions,
        records,
        of,
        more);
  }

  /** The last name of a CNAME chain in the answer, empty without one. */
  public String canonicalName() {
    String name = "";
    for (DnsRecord answer : answers) {
      if (answer.data() instanceof Data.Pointer(int type, String target)
          && type == DnsRecord.CNAME) {
        name = target;
      }
    }
    return name;
  }

  public byte[] encode() {
    return new MessageWriter().write(this);
  }

  /** Reads a message; null if the bytes are none. */
  public static @Nullable DnsMessage parse(byte[] bytes) {
    return MessageReader.read(bytes);
  }

  /** Whether a name can be asked for: labels of 1 to 63 bytes, 253 in all. */
  public static boolean isName(String name) {
    String text = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    if (text.isEmpty() || text.length() > 253) {
      return false;
    }
    for (String label : text.split("\\.", -1)) {
      if (label.isEmpty() || label.length() > 63) {
        return false;
      }
    }
    return true;
  }
}
