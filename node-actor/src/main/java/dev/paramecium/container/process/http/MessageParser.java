package dev.paramecium.container.process.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Reads HTTP/1.x messages from a stream that comes in pieces of any size (RFC 9112).
 *
 * <pre>
 *   START_LINE -&gt; FIELDS -&gt; LENGTH ----------------------------&gt; end
 *                        -&gt; CHUNK_SIZE &lt;-&gt; CHUNK_DATA -&gt; TRAILERS -&gt; end
 *                        -&gt; UNTIL_CLOSE -------------------------&gt; end
 * </pre>
 */
public final class MessageParser {

  /** How long a body is: a number of bytes, or one of these. */
  public static final long CHUNKED = -1;

  public static final long UNTIL_CLOSE = -2;

  static final int MAX_LINE = 16384;
  static final int MAX_FIELDS = 200;

  /** What was read. */
  public interface Listener {

    /**
     * Start line and fields are complete.
     *
     * @return how long the body is; 0 for none
     */
    long head(String startLine, Headers headers) throws MalformedMessageException;

    /** A piece of the body; {@code bytes} is only lent. */
    void body(byte[] bytes, int from, int count) throws MalformedMessageException;

    /** The message is complete. */
    void end();
  }

  private enum State {
    START_LINE,
    FIELDS,
    LENGTH,
    CHUNK_SIZE,
    CHUNK_DATA,
    CHUNK_END,
    TRAILERS,
    UNTIL_CLOSE
  }

  private final Listener listener;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private State state = State.START_LINE;
  private String startLine = "";
  private Headers headers = new Headers();
  private int fieldCount;
  private long left;

  public MessageParser(Listener listener) {
    this.listener = listener;
  }

  /** Whether nothing of a next message has come yet. */
  public boolean isIdle() {
    return state == State.START_LINE && line.size() == 0;
  }

  /** Whether the fields of the message being read have not all come. */
  public boolean isInHead() {
    return state == State.START_LINE || state == State.FIELDS;
  }

  /**
   * Reads until the bytes or the message end.
   *
   * @return how many bytes were read: less than {@code count} if a message ended before
   */
  public int feed(byte[] bytes, int from, int count) throws MalformedMessageException {
    int at = from;
    int limit = from + count;
    while (at < limit) {
      boolean ended;
      if (state == State.LENGTH || state == State.CHUNK_DATA || state == State.UNTIL_CLOSE) {
        int step = state == State.UNTIL_CLOSE ? limit - at : (int) Math.min(left, limit - at);
        listener.body(bytes, at, step);
        at += step;
        left -= step;
        ended = state == State.LENGTH && left == 0;
        if (state == State.CHUNK_DATA && left == 0) {
          state = State.CHUNK_END;
        }
      } else {
        byte b = bytes[at++];
        if (b != '\n') {
          if (state == State.START_LINE && b >= 0 && b < ' ' && b != '\r') {
            // A TLS handshake, most likely: its first line may never end.
            throw new MalformedMessageException(400, "Invalid Request Line: not text");
          }
          line.write(b);
          if (line.size() > MAX_LINE) {
            throw tooLong();
          }
          continue;
        }
        ended = line(takeLine());
      }
      if (ended) {
        reset();
        listener.end();
        break;
      }
    }
    return at - from;
  }

  private MalformedMessageException tooLong() {
    int status = state == State.START_LINE ? 414 : 431;
    return new MalformedMessageException(status, "a line of more than " + MAX_LINE + " bytes");
  }

  private String takeLine() {
    String text = line.toString(StandardCharsets.ISO_8859_1);
    line.reset();
    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
  }

  private void reset() {
    state = State.START_LINE;
    line.reset();
    headers = new Headers();
    fieldCount = 0;
  }

  /** Handles a complete line; answers whether the message ended with it. */
  private boolean line(String text) throws MalformedMessageException {
    switch (state) {
      case START_LINE -> {
        // RFC 9112, 2.2: empty lines before a request line are ignored.
        if (!text.isEmpty()) {
          startLine = text;
          state = State.FIELDS;
        }
      }
      case FIELDS -> {
        if (!text.isEmpty()) {
          field(text);
        } else {
          return body(listener.head(startLine, headers));
        }
      }
      case CHUNK_SIZE -> {
        left = chunkSize(text);
        state = left == 0 ? State.TRAILERS : State.CHUNK_DATA;
      }
      case CHUNK_END -> {
        if (!text.isEmpty()) {
          throw new MalformedMessageException(400, "a chunk is longer than its size");
        }
        state = State.CHUNK_SIZE;
      }
      case TRAILERS -> {
        if (text.isEmpty()) {
          return true;
        }
        countField();
      }
      case LENGTH, CHUNK_DATA, UNTIL_CLOSE ->
          throw new IllegalStateException("no line in " + state);
    }
    return false;
  }

  private boolean body(long length) {
    if (length == CHUNKED) {
      state = State.CHUNK_SIZE;
    } else if (length == UNTIL_CLOSE) {
      state = State.UNTIL_CLOSE;
    } else if (length == 0) {
      return true;
    } else {
      state = State.LENGTH;
      left = length;
    }
    return false;
  }

  private void countField() throws MalformedMessageException {
    if (++fieldCount > MAX_FIELDS) {
      throw new MalformedMessageException(431, "more than " + MAX_FIELDS + " header fields");
    }
  }

  private void field(String text) throws MalformedMessageException {
    countField();
    int colon = text.indexOf(':');
    if (colon <= 0 || !isToken(text.substring(0, colon))) {
      throw new MalformedMessageException(400, "Invalid HTTP Header: " + quoted(text));
    }
    String value = text.substring(colon + 1).strip();
    if (value.indexOf('\0') >= 0) {
      throw new MalformedMessageException(400, "Invalid HTTP Header: " + quoted(text));
    }
    headers.add(text.substring(0, colon), value);
  }

  private static String quoted(String text) {
    return "'" + (text.length() > 64 ? text.substring(0, 64) : text) + "'";
  }

  /** RFC 9110, 5.6.2. */
  static boolean isToken(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean alphanumeric =
          (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      if (!alphanumeric && "!#$%&'*+-.^_`|~".indexOf(c) < 0) {
        return false;
      }
    }
    return !text.isEmpty();
  }

  private static long chunkSize(String text) throws MalformedMessageException {
    int end = text.indexOf(';');
    String digits = (end < 0 ? text : text.substring(0, end)).strip();
    if (digits.isEmpty() || digits.length() > 12) {
      throw new MalformedMessageException(400, "Invalid chunk size: " + quoted(text));
    }
    long size = 0;
    for (int i = 0; i < digits.length(); i++) {
      int digit = Character.digit(digits.charAt(i), 16);
      if (digit < 0 || digits.charAt(i) > 'f') {
        throw new MalformedMessageException(400, "Invalid chunk size: " + quoted(text));
      }
      size = size << 4 | digit;
    }
    return size;
  }

  /**
   * What the fields say about a body's length (RFC 9112, 6.3).
   *
   * @param otherwise the answer if they say nothing: 0 for a request, {@link #UNTIL_CLOSE} for a
   *     response
   */
  public static long bodyLength(Headers headers, long otherwise) throws MalformedMessageException {
    if (headers.contains("Transfer-Encoding")) {
      if (!headers.hasToken("Transfer-Encoding", "chunked")) {
        throw new MalformedMessageException(
            400, "Unsupported Transfer-Encoding " + quoted(headers.get("Transfer-Encoding", "")));
      }
      return CHUNKED;
    }
    String length = headers.get("Content-Length");
    if (length == null) {
      return otherwise;
    }
    for (Headers.Field field : headers.fields()) {
      if (field.name().equalsIgnoreCase("Content-Length") && !field.value().equals(length)) {
        throw new MalformedMessageException(400, "two different Content-Length fields");
      }
    }
    if (!length.matches("[0-9]{1,15}")) {
      throw new MalformedMessageException(400, "Invalid Content-Length: " + quoted(length));
    }
    return Long.parseLong(length);
  }

  /**
   * The stream ended.
   *
   * @return whether that completes the message, or nothing had begun
   */
  public boolean closed() {
    if (state == State.UNTIL_CLOSE) {
      reset();
      listener.end();
      return true;
    }
    return isIdle();
  }
}
