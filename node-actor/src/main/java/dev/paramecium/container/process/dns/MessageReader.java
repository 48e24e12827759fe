package dev.paramecium.container.process.dns;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.dns.DnsRecord.Data;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads one message; whatever the bytes are, it ends. */
final class MessageReader {

  private static final int MAX_NAME = 253;

  private final ByteBuffer message;
  private int udpSize = DnsMessage.PLAIN_UDP_SIZE;

  private MessageReader(ByteBuffer message) {
    this.message = message;
  }

  static @Nullable DnsMessage read(byte[] bytes) {
    try {
      return new MessageReader(ByteBuffer.wrap(bytes)).read();
    } catch (BufferUnderflowException | IllegalArgumentException _) {
      return null;
    }
  }

  private DnsMessage read() {
    int id = u16();
    int flags = u16();
    int questions = u16();
    int answers = u16();
    int authority = u16();
    int additional = u16();
    List<DnsMessage.Question> asked = new ArrayList<>();
    for (int i = 0; i < questions; i++) {
      asked.add(new DnsMessage.Question(name(), u16(), u16()));
    }
    List<DnsRecord> answered = records(answers);
    List<DnsRecord> of = records(authority);
    List<DnsRecord> more = records(additional);
    return new DnsMessage(
        id,
        (flags & 0x8000) != 0,
        flags >> 11 & 15,
        (flags & 0x0400) != 0,
        (flags & 0x0200) != 0,
        (flags & 0x0100) != 0,
        (flags & 0x0080) != 0,
        flags & 15,
        udpSize,
        asked,
        answered,
        of,
        more);
  }

  private List<DnsRecord> records(int count) {
    List<DnsRecord> records = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String name = name();
      int type = u16();
      int dnsClass = u16();
      int ttl = message.getInt();
      int length = u16();
      int next = message.position() + length;
      if (next > message.limit()) {
        throw new IllegalArgumentException("a record that ends after its message");
      }
      if (type == DnsRecord.OPT) {
        udpSize = Math.max(DnsMessage.PLAIN_UDP_SIZE, dnsClass);
      } else {
        records.add(new DnsRecord(name, ttl, data(type, length)));
      }
      message.position(next);
    }
    return records;
  }

  private Data data(int type, int length) {
    return switch (type) {
      case DnsRecord.A -> new Data.Address(new Ipv4Address(message.getInt()));
      case DnsRecord.CNAME, DnsRecord.PTR, DnsRecord.NS -> new Data.Pointer(type, name());
      case DnsRecord.SRV -> new Data.Service(u16(), u16(), u16(), name());
      case DnsRecord.SOA ->
          new Data.Authority(
              name(),
              name(),
              message.getInt(),
              message.getInt(),
              message.getInt(),
              message.getInt(),
              message.getInt());
      default -> {
        byte[] bytes = new byte[length];
        message.get(bytes);
        yield new Data.Opaque(type, bytes);
      }
    };
  }

  private int u16() {
    return message.getShort() & 0xffff;
  }

  /** Reads a name, following compression pointers (RFC 1035, 4.1.4) backwards only. */
  private String name() {
    StringBuilder name = new StringBuilder();
    int limit = message.position();
    int after = -1;
    while (true) {
      int length = message.get() & 0xff;
      if (length == 0) {
        break;
      }
      if (length >= 0xc0) {
        int target = (length & 0x3f) << 8 | message.get() & 0xff;
        if (target >= limit) {
          throw new IllegalArgumentException("a compression pointer that does not point back");
        }
        if (after < 0) {
          after = message.position();
        }
        limit = target;
        message.position(target);
      } else if (length > 63 || name.length() + length > MAX_NAME) {
        throw new IllegalArgumentException("a name that is longer than names are");
      } else {
        byte[] label = new byte[length];
        message.get(label);
        name.append(name.isEmpty() ? "" : ".").append(new String(label, StandardCharsets.UTF_8));
      }
    }
    if (after >= 0) {
      message.position(after);
    }
    return name.toString();
  }
}
