package dev.paramecium.inspect.tcpdump;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.inspect.packet.Packet;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What tcpdump tells of HTTP and DNS, and its dumps in hexadecimal. */
final class Payload {

  private static final List<String> HTTP_STARTS =
      List.of(
          "GET",
          "PUT",
          "COPY",
          "HEAD",
          "LOCK",
          "MOVE",
          "POLL",
          "POST",
          "BCOPY",
          "BMOVE",
          "MKCOL",
          "TRACE",
          "LABEL",
          "MERGE",
          "DELETE",
          "SEARCH",
          "UNLOCK",
          "REPORT",
          "UPDATE",
          "NOTIFY",
          "BDELETE",
          "CONNECT",
          "OPTIONS",
          "CHECKIN",
          "PROPFIND",
          "CHECKOUT",
          "PATCH",
          "HTTP/");

  private Payload() {}

  /** The first line of a request or response; all its lines if verbose. */
  static String http(Packet packet, int length, boolean verbose) {
    int from = packet.transportOffset() + packet.tcpHeaderLength();
    int end = Math.min(packet.end(), from + length);
    if (end <= from) {
      return ": HTTP";
    }
    String text = new String(packet.bytes(), from, end - from, StandardCharsets.ISO_8859_1);
    String first = text.split("\r?\n", 2)[0];
    String word = first.split(" ", 2)[0];
    boolean starts = HTTP_STARTS.contains(word) || word.startsWith("HTTP/");
    if (!verbose) {
      return starts ? ": HTTP: " + first : ": HTTP";
    }
    if (!starts) {
      return ": HTTP, length: " + length;
    }
    StringBuilder lines = new StringBuilder(": HTTP, length: ").append(length);
    int at = 0;
    while (at < text.length()) {
      int newline = text.indexOf('\n', at);
      String line = newline < 0 ? text.substring(at) : text.substring(at, newline);
      lines.append("\n\t").append(printable(line.replace("\r", "")));
      if (newline < 0) {
        lines.append(" [|http]");
        break;
      }
      at = newline + 1;
    }
    return lines.toString();
  }

  private static String printable(String text) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      out.append(c == '\t' || (c >= ' ' && c < 127) ? c : '.');
    }
    return out.toString();
  }

  // ---- DNS

  /** A query or an answer with its A, AAAA, CNAME and PTR records. */
  static String dns(Packet packet, int from, int end, int length) {
    if (end - from < 12) {
      return "domain [length " + (end - from) + " < 12] (invalid)";
    }
    int flags = packet.u16(from + 2);
    int id = packet.u16(from);
    StringBuilder text = new StringBuilder().append(id);
    int[] at = {from + 12};
    int questions = packet.u16(from + 4);
    if ((flags & 0x8000) == 0) {
      text.append((flags & 0x100) != 0 ? "+" : "");
      for (int i = 0; i < questions && at[0] < end; i++) {
        String name = name(packet, from, at, end);
        if (at[0] + 4 > end) {
          return text.append(" [|domain]").toString();
        }
        text.append(i == 0 ? " " : ", ").append(type(packet.u16(at[0]))).append("? ").append(name);
        at[0] += 4;
      }
      return text.append(" (").append(length).append(')').toString();
    }
    text.append((flags & 0x400) != 0 ? "*" : "").append((flags & 0x80) == 0 ? "-" : "");
    text.append(
        switch (flags & 15) {
          case 0 -> "";
          case 1 -> " FormErr";
          case 2 -> " ServFail";
          case 3 -> " NXDomain";
          case 4 -> " NotImp";
          case 5 -> " Refused";
          default -> " Resp" + (flags & 15);
        });
    int answers = packet.u16(from + 6);
    text.append(' ').append(answers).append('/').append(packet.u16(from + 8));
    text.append('/').append(packet.u16(from + 10));
    for (int i = 0; i < questions && at[0] < end; i++) {
      name(packet, from, at, end);
      at[0] += 4;
    }
    List<String> records = new ArrayList<>();
    for (int i = 0; i < answers && at[0] < end; i++) {
      name(packet, from, at, end);
      if (at[0] + 10 > end) {
        records.add("[|domain]");
        break;
      }
      records.add(record(packet, from, at[0], end));
      at[0] += 10 + packet.u16(at[0] + 8);
    }
    if (!records.isEmpty()) {
      text.append(' ').append(String.join(", ", records));
    }
    return text.append(" (").append(length).append(')').toString();
  }

  private static String record(Packet packet, int message, int at, int end) {
    int type = packet.u16(at);
    int data = at + 10;
    if (type == 1 && data + 4 <= end) {
      return "A " + Ipv4Address.format((int) packet.u32(data));
    }
    if (type == 5 || type == 12) {
      return type(type) + " " + name(packet, message, new int[] {data}, end);
    }
    return type(type);
  }

  private static String type(int type) {
    return switch (type) {
      case 1 -> "A";
      case 2 -> "NS";
      case 5 -> "CNAME";
      case 6 -> "SOA";
      case 12 -> "PTR";
      case 15 -> "MX";
      case 16 -> "TXT";
      case 28 -> "AAAA";
      case 33 -> "SRV";
      default -> "Type" + type;
    };
  }

  /** Reads a name and moves {@code at} behind it; pointers lead back only, so it ends. */
  private static String name(Packet packet, int message, int[] at, int end) {
    StringBuilder name = new StringBuilder();
    int read = at[0];
    int limit = end;
    boolean jumped = false;
    while (read < end) {
      int length = packet.u8(read);
      if (length >= 0xc0 && read + 1 < end) {
        int target = message + (packet.u16(read) & 0x3fff);
        if (!jumped) {
          at[0] = read + 2;
        }
        jumped = true;
        if (target >= limit || target >= read) {
          break;
        }
        limit = read;
        read = target;
        continue;
      }
      if (length == 0 || read + 1 + length > end) {
        if (!jumped) {
          at[0] = read + 1;
        }
        break;
      }
      name.append(
          printable(new String(packet.bytes(), read + 1, length, StandardCharsets.ISO_8859_1)));
      name.append('.');
      read += 1 + length;
      if (!jumped) {
        at[0] = read;
      }
    }
    return name.isEmpty() ? "." : name.toString();
  }

  // ---- dumps

  /** {@code -x}, {@code -X}: rows of 16 bytes in groups of two, each row after a newline. */
  static String hex(Packet packet, int from, boolean ascii) {
    StringBuilder text = new StringBuilder();
    for (int row = from; row < packet.end(); row += 16) {
      int end = Math.min(row + 16, packet.end());
      StringBuilder hex = new StringBuilder();
      StringBuilder chars = new StringBuilder();
      for (int i = row; i < end; i++) {
        hex.append((i - row) % 2 == 0 ? " " : "");
        hex.append(String.format(Locale.ROOT, "%02x", packet.u8(i)));
        chars.append(packet.u8(i) > 32 && packet.u8(i) < 127 ? (char) packet.u8(i) : '.');
      }
      text.append(String.format(Locale.ROOT, "\n\t0x%04x: ", row - from)).append(hex);
      if (ascii) {
        text.repeat(' ', 40 - hex.length() + 2).append(chars);
      }
    }
    return text.toString();
  }

  /** {@code -A}: the bytes as text, after a newline. */
  static String ascii(Packet packet, int from) {
    StringBuilder text = new StringBuilder("\n");
    for (int i = from; i < packet.end(); i++) {
      char c = (char) packet.u8(i);
      boolean endOfLine = c == '\r' && i + 1 < packet.end() && packet.u8(i + 1) == '\n';
      if (!endOfLine) {
        boolean shown = c == '\t' || c == '\n' || (c >= ' ' && c < 127);
        text.append(shown ? c : '.');
      }
    }
    return text.toString();
  }
}
