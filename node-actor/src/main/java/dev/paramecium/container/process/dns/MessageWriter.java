package dev.paramecium.container.process.dns;

import dev.paramecium.container.process.dns.DnsRecord.Data;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes one message; names that repeat are pointers (RFC 1035, 4.1.4). */
final class MessageWriter {

  private static final int POINTER = 0xc000;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream(512);
  private final Map<String, Integer> offsets = new HashMap<>();

  byte[] write(DnsMessage message) {
    u16(message.id());
    u16(flags(message));
    boolean extended = message.udpSize() > DnsMessage.PLAIN_UDP_SIZE;
    u16(message.questions().size());
    u16(message.answers().size());
    u16(message.authority().size());
    u16(message.additional().size() + (extended ? 1 : 0));
    for (DnsMessage.Question question : message.questions()) {
      name(question.name());
      u16(question.type());
      u16(question.dnsClass());
    }
    for (List<DnsRecord> section :
        List.of(message.answers(), message.authority(), message.additional())) {
      section.forEach(this::record);
    }
    if (extended) {
      out.write(0);
      u16(DnsRecord.OPT);
      u16(message.udpSize());
      u32(0);
      u16(0);
    }
    return out.toByteArray();
  }

  private static int flags(DnsMessage message) {
    return (message.response() ? 0x8000 : 0)
        | (message.opcode() & 15) << 11
        | (message.authoritative() ? 0x0400 : 0)
        | (message.truncated() ? 0x0200 : 0)
        | (message.recursionDesired() ? 0x0100 : 0)
        | (message.recursionAvailable() ? 0x0080 : 0)
        | message.responseCode() & 15;
  }

  private void record(DnsRecord record) {
    name(record.name());
    u16(record.type());
    u16(DnsMessage.CLASS_IN);
    u32(record.ttl());
    MessageWriter data = new MessageWriter(); // its names are written in full
    switch (record.data()) {
      case Data.Address(var address) -> data.u32(address.value());
      case Data.Pointer(int _, String target) -> data.label(target);
      case Data.Service(int priority, int weight, int port, String target) -> {
        data.u16(priority);
        data.u16(weight);
        data.u16(port);
        data.label(target);
      }
      case Data.Authority soa -> {
        data.label(soa.primary());
        data.label(soa.mailbox());
        data.u32(soa.serial());
        data.u32(soa.refresh());
        data.u32(soa.retry());
        data.u32(soa.expire());
        data.u32(soa.minimum());
      }
      case Data.Opaque(int _, byte[] bytes) -> data.out.writeBytes(bytes);
    }
    u16(data.out.size());
    out.writeBytes(data.out.toByteArray());
  }

  /** A name in full. */
  private void label(String name) {
    for (String label : name.isEmpty() ? new String[0] : name.split("\\.", -1)) {
      byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
      out.write(bytes.length);
      out.writeBytes(bytes);
    }
    out.write(0);
  }

  private void name(String name) {
    String rest = name;
    while (!rest.isEmpty()) {
      Integer before = offsets.get(rest.toLowerCase(Locale.ROOT));
      if (before != null) {
        u16(POINTER | before);
        return;
      }
      if (out.size() < 0x4000) {
        offsets.put(rest.toLowerCase(Locale.ROOT), out.size());
      }
      int dot = rest.indexOf('.');
      byte[] bytes = (dot < 0 ? rest : rest.substring(0, dot)).getBytes(StandardCharsets.UTF_8);
      out.write(bytes.length);
      out.writeBytes(bytes);
      rest = dot < 0 ? "" : rest.substring(dot + 1);
    }
    out.write(0);
  }

  private void u16(int value) {
    out.write(value >>> 8);
    out.write(value);
  }

  private void u32(int value) {
    u16(value >>> 16);
    u16(value & 0xffff);
  }
}
