package dev.paramecium.container.process.http;

import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A gRPC server that refuses every call with one status: as much of HTTP/2 (RFC 9113) as that
 * takes. Requests are not read, only where they begin.
 *
 * <pre>
 *   client                         server
 *   preface, SETTINGS     -------&gt;
 *                         &lt;-------  SETTINGS, SETTINGS ack
 *   HEADERS (any method)  -------&gt;
 *                         &lt;-------  HEADERS with END_STREAM: ":status" 200, "grpc-status", "grpc-message"
 * </pre>
 */
public final class RefusingGrpc implements TcpHandler {

  /** gRPC's status code when a service cannot be reached now. */
  public static final int UNAVAILABLE = 14;

  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 9;

  /** The longest frame, where nobody has asked for another (RFC 9113, 4.2). */
  private static final int MAX_FRAME = 16_384;

  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int GOAWAY = 7;
  private static final int WINDOW_UPDATE = 8;
  private static final int CONTINUATION = 9;

  /** ACK of SETTINGS and PING has the same value. */
  private static final int END_STREAM = 1;

  private static final int ACK = 1;
  private static final int END_HEADERS = 4;
  private static final int FRAME_SIZE_ERROR = 6;

  private final byte[] refusal;
  private byte[] waiting = {};
  private boolean begun;
  private boolean requestEnds;

  /**
   * A server for one connection.
   *
   * @param message ASCII, shorter than 127 characters, without {@code %}
   */
  public RefusingGrpc(int status, String message) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.write(0x88); // :status 200, entry 8 of the static table (RFC 7541, appendix A)
    block.write(0x0f); // content-type, entry 31: 15 in the prefix, 16 after it
    block.write(0x10);
    text(block, "application/grpc");
    literal(block, "grpc-status", Integer.toString(status));
    literal(block, "grpc-message", message);
    refusal = block.toByteArray();
  }

  /** A field that is not put into the table (RFC 7541, 6.2.2). */
  private static void literal(ByteArrayOutputStream block, String name, String value) {
    block.write(0);
    text(block, name);
    text(block, value);
  }

  private static void text(ByteArrayOutputStream block, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    if (bytes.length >= 127) {
      throw new IllegalArgumentException(text + " has " + bytes.length + " bytes: 126 is the most");
    }
    block.write(bytes.length);
    block.writeBytes(bytes);
  }

  @Override
  public void data(TcpConnection connection, byte[] bytes, int from, int count) {
    int before = waiting.length;
    waiting = Arrays.copyOf(waiting, before + count);
    System.arraycopy(bytes, from, waiting, before, count);
    int read = begun ? 0 : begin(connection);
    while (begun && waiting.length - read >= HEADER) {
      ByteBuffer header = ByteBuffer.wrap(waiting, read, HEADER);
      int lengthAndType = header.getInt();
      int length = lengthAndType >>> 8;
      if (length > MAX_FRAME) {
        send(connection, GOAWAY, 0, 0, goAway(FRAME_SIZE_ERROR));
        connection.close();
        return;
      }
      if (waiting.length - read < HEADER + length) {
        break;
      }
      int flags = header.get() & 0xff;
      int stream = header.getInt() & Integer.MAX_VALUE;
      byte[] payload = Arrays.copyOfRange(waiting, read + HEADER, read + HEADER + length);
      read += HEADER + length;
      frame(connection, lengthAndType & 0xff, flags, stream, payload);
    }
    waiting = Arrays.copyOfRange(waiting, read, waiting.length);
  }

  /** Reads the preface; answers how long it was. Another protocol is hung up on. */
  private int begin(TcpConnection connection) {
    int known = Math.min(waiting.length, PREFACE.length);
    if (!Arrays.equals(waiting, 0, known, PREFACE, 0, known)) {
      connection.abort();
      return waiting.length;
    }
    if (known < PREFACE.length) {
      return 0;
    }
    begun = true;
    send(connection, SETTINGS, 0, 0, new byte[0]);
    return known;
  }

  private void frame(TcpConnection connection, int type, int flags, int stream, byte[] payload) {
    switch (type) {
      case SETTINGS -> {
        if ((flags & ACK) == 0) {
          send(connection, SETTINGS, ACK, 0, new byte[0]);
        }
      }
      case PING -> {
        if ((flags & ACK) == 0) {
          send(connection, PING, ACK, 0, payload);
        }
      }
      case HEADERS -> {
        requestEnds = (flags & END_STREAM) != 0;
        refuseIfComplete(connection, flags, stream);
      }
      case CONTINUATION -> refuseIfComplete(connection, flags, stream);
      case DATA -> {
        if (payload.length > 0) {
          send(connection, WINDOW_UPDATE, 0, 0, number(payload.length));
        }
      }
      case GOAWAY -> connection.close();
      default -> {} // WINDOW_UPDATE, RST_STREAM, PRIORITY: nothing that is sent here waits for them
    }
  }

  private void refuseIfComplete(TcpConnection connection, int flags, int stream) {
    if ((flags & END_HEADERS) == 0) {
      return;
    }
    send(connection, HEADERS, END_HEADERS | END_STREAM, stream, refusal);
    if (!requestEnds) {
      send(connection, RST_STREAM, 0, stream, number(0)); // NO_ERROR: no need to send the rest
    }
  }

  private static byte[] number(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  private static byte[] goAway(int error) {
    return ByteBuffer.allocate(8).putInt(0).putInt(error).array();
  }

  private static void send(
      TcpConnection connection, int type, int flags, int stream, byte[] payload) {
    byte[] frame =
        ByteBuffer.allocate(HEADER + payload.length)
            .putInt(payload.length << 8 | type)
            .put((byte) flags)
            .putInt(stream)
            .put(payload)
            .array();
    if (connection.write(frame, 0, frame.length) < frame.length) {
      connection.abort(); // the client does not read what it asks for
    }
  }

  @Override
  public void peerClosed(TcpConnection connection) {
    connection.close();
  }

  @Override
  public void failed(TcpConnection connection, SocketError error) {
    waiting = new byte[0];
  }
}
