package dev.paramecium.container.process.dns;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** DNS messages in a TCP stream: each follows its length in two bytes (RFC 1035, 4.2.2). */
public final class TcpFraming {

  private byte[] pending = {};

  /** Takes bytes as they came; answers the messages that are complete now. */
  public List<byte[]> received(byte[] bytes, int from, int count) {
    byte[] all = Arrays.copyOf(pending, pending.length + count);
    System.arraycopy(bytes, from, all, pending.length, count);
    List<byte[]> messages = new ArrayList<>();
    int at = 0;
    while (all.length - at >= 2) {
      int length = (all[at] & 0xff) << 8 | all[at + 1] & 0xff;
      if (all.length - at - 2 < length) {
        break;
      }
      messages.add(Arrays.copyOfRange(all, at + 2, at + 2 + length));
      at += 2 + length;
    }
    pending = Arrays.copyOfRange(all, at, all.length);
    return messages;
  }

  /** The message behind its length. */
  public static byte[] frame(byte[] message) {
    ByteArrayOutputStream framed = new ByteArrayOutputStream(message.length + 2);
    framed.write(message.length >>> 8);
    framed.write(message.length);
    framed.writeBytes(message);
    return framed.toByteArray();
  }
}
