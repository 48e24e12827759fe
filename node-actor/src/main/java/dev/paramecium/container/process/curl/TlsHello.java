package dev.paramecium.container.process.curl;

import dev.paramecium.bpf.RandomSource;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The first message of a TLS handshake (RFC 8446, 4.1.2). No server in the emulated network speaks
 * TLS, so it is also the last: a server that gets it answers in plain text or hangs up.
 */
public final class TlsHello {

  private static final short[] CIPHERS = {
    0x1301, 0x1302, 0x1303, (short) 0xc02b, (short) 0xc02f, (short) 0xc02c, (short) 0xc030
  };

  private TlsHello() {}

  /** A ClientHello for {@code host}, as one record. */
  public static byte[] clientHello(String host, RandomSource random) {
    byte[] name = host.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer extensions = ByteBuffer.allocate(64 + name.length);
    extensions.putShort((short) 0).putShort((short) (name.length + 5));
    extensions.putShort((short) (name.length + 3)).put((byte) 0);
    extensions.putShort((short) name.length).put(name);
    extensions.putShort((short) 43).putShort((short) 5).put((byte) 4);
    extensions.putShort((short) 0x0304).putShort((short) 0x0303);

    ByteBuffer body = ByteBuffer.allocate(256 + name.length);
    body.putShort((short) 0x0303);
    for (int i = 0; i < 8; i++) {
      body.putInt(random.nextInt());
    }
    body.put((byte) 0).putShort((short) (2 * CIPHERS.length));
    for (short cipher : CIPHERS) {
      body.putShort(cipher);
    }
    body.put((byte) 1).put((byte) 0);
    body.putShort((short) extensions.position()).put(extensions.flip());

    int length = body.position();
    ByteBuffer record = ByteBuffer.allocate(length + 9);
    record.put((byte) 22).putShort((short) 0x0301).putShort((short) (length + 4));
    record.put((byte) 1).put((byte) 0).putShort((short) length).put(body.flip());
    return record.array();
  }
}
