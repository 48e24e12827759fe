package dev.paramecium.container.process.net;

import dev.paramecium.abi.Ipv4Address;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DNS queries and answers (RFC 1035, 4) as a stub resolver needs them.
 *
 * @param responseCode 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
 * @param addresses the A records of the answer
 * @param canonicalName the last name of a CNAME chain, empty without one
 */
record DnsMessage(int id, int responseCode, List<Ipv4Address> addresses, String canonicalName) {

  static final int NXDOMAIN = 3;

  private static final int TYPE_A = 1;
  private static final int TYPE_CNAME = 5;

  /** Whether a name can be asked for: labels of 1 to 63 bytes, 253 in all. */
  static boolean isName(String name) {
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

  /** A recursive query for the A records of {@code name}. */
  static byte[] query(int id, String name) {
    ByteBuffer query = ByteBuffer.allocate(512);
    query.putShort((short) id).putShort((short) 0x0100).putShort((short) 1);
    query.putShort((short) 0).putShort((short) 0).putShort((short) 0);
    for (String label : name.split("\\.", -1)) {
      byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
      query.put((byte) bytes.length).put(bytes);
    }
    query.put((byte) 0).putShort((short) TYPE_A).putShort((short) 1);
    byte[] message = new byte[query.position()];
    query.flip().get(message);
    return message;
  }

  /** Reads an answer; null if the bytes are none. */
  static @Nullable DnsMessage parse(byte[] bytes) {
    try {
      ByteBuffer message = ByteBuffer.wrap(bytes);
      int id = message.getShort() & 0xffff;
      int flags = message.getShort();
      int questions = message.getShort() & 0xffff;
      int answers = message.getShort() & 0xffff;
      message.getInt();
      if ((flags & 0x8000) == 0) {
        return null;
      }
      for (int i = 0; i < questions; i++) {
        name(message);
        message.getInt();
      }
      List<Ipv4Address> addresses = new ArrayList<>();
      String canonical = "";
      for (int i = 0; i < answers; i++) {
        name(message);
        int type = message.getShort() & 0xffff;
        message.getShort();
        message.getInt();
        int length = message.getShort() & 0xffff;
        int next = message.position() + length;
        if (type == TYPE_A && length == 4) {
          addresses.add(new Ipv4Address(message.getInt()));
        } else if (type == TYPE_CNAME) {
          canonical = name(message);
        }
        message.position(next);
      }
      return new DnsMessage(id, flags & 15, List.copyOf(addresses), canonical);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return null;
    }
  }

  /** Reads a name, following compression pointers (RFC 1035, 4.1.4) backwards only. */
  private static String name(ByteBuffer message) {
    List<String> labels = new ArrayList<>();
    int limit = message.position();
    int after = -1;
    while (true) {
      int length = message.get() & 0xff;
      if (length == 0) {
        break;
      }
      if (length >= 0xc0) {
        int target = (length & 0x3f) << 8 | (message.get() & 0xff);
        if (target >= limit) {
          throw new IllegalArgumentException("a compression pointer that does not point back");
        }
        if (after < 0) {
          after = message.position();
        }
        limit = target;
        message.position(target);
      } else {
        byte[] label = new byte[length];
        message.get(label);
        labels.add(new String(label, StandardCharsets.UTF_8));
      }
    }
    if (after >= 0) {
      message.position(after);
    }
    return String.join(".", labels);
  }
}
