package dev.paramecium.container.process.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MessageParserTest {

  /** Collects whole messages as "start line|body". */
  private static final class Messages implements MessageParser.Listener {
    final List<String> complete = new ArrayList<>();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private String start = "";

    @Override
    public long head(String startLine, Headers headers) throws MalformedMessageException {
      start = startLine;
      return MessageParser.bodyLength(headers, 0);
    }

    @Override
    public void body(byte[] bytes, int from, int count) {
      body.write(bytes, from, count);
    }

    @Override
    public void end() {
      complete.add(start + "|" + body.toString(StandardCharsets.ISO_8859_1));
      body.reset();
    }
  }

  private static List<String> parse(byte[] bytes, List<Integer> pieces)
      throws MalformedMessageException {
    Messages messages = new Messages();
    MessageParser parser = new MessageParser(messages);
    int at = 0;
    int piece = 0;
    while (at < bytes.length) {
      int size =
          Math.min(
              bytes.length - at,
              pieces.isEmpty() ? bytes.length : pieces.get(piece++ % pieces.size()));
      int end = at + size;
      while (at < end) {
        at += parser.feed(bytes, at, end - at);
      }
    }
    return messages.complete;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void readsOneMessageAfterAnother() throws MalformedMessageException {
    String text =
        "GET / HTTP/1.1\r\n"
            + "Host: a\r\n\r\n"
            + "POST /p HTTP/1.1\r\n"
            + "Content-Length: 3\r\n\r\n"
            + "abc\r\n"
            + "PUT /c HTTP/1.1\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"
            + "4;x=y\r\n"
            + "wiki\r\n"
            + "A\r\n"
            + "0123456789\r\n"
            + "0\r\n"
            + "T: r\r\n\r\n";

    assertThat(parse(bytes(text), List.of()))
        .containsExactly(
            "GET / HTTP/1.1|", "POST /p HTTP/1.1|abc", "PUT /c HTTP/1.1|wiki0123456789");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
      })
  void refusesWhatIsMalformed(String text) {
    assertThatThrownBy(() -> parse(bytes(text), List.of()))
        .isInstanceOfSatisfying(
            MalformedMessageException.class, e -> assertThat(e.status()).isEqualTo(400));
  }

  @Test
  void refusesEndlessLinesAndFields() {
    assertThatThrownBy(() -> parse(bytes("x".repeat(20_000)), List.of()))
        .isInstanceOfSatisfying(
            MalformedMessageException.class, e -> assertThat(e.status()).isEqualTo(414));
    assertThatThrownBy(() -> parse(bytes("GET / HTTP/1.1\r\n" + "a: b\r\n".repeat(300)), List.of()))
        .isInstanceOfSatisfying(
            MalformedMessageException.class, e -> assertThat(e.status()).isEqualTo(431));
  }

  @Property(tries = 300)
  void piecesDoNotMatter(
      @ForAll @Size(min = 1, max = 5) List<byte[]> bodies,
      @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 1, max = 40) Integer> pieces,
      @ForAll boolean chunked)
      throws MalformedMessageException {
    ByteArrayOutputStream wire = new ByteArrayOutputStream();
    List<String> expected = new ArrayList<>();
    for (byte[] body : bodies) {
      wire.writeBytes(bytes("POST /x HTTP/1.1\r\nHost: h\r\n"));
      if (chunked) {
        wire.writeBytes(bytes("Transfer-Encoding: chunked\r\n\r\n"));
        if (body.length > 0) {
          wire.writeBytes(bytes(Integer.toHexString(body.length) + "\r\n"));
          wire.writeBytes(body);
          wire.writeBytes(bytes("\r\n"));
        }
        wire.writeBytes(bytes("0\r\n\r\n"));
      } else {
        wire.writeBytes(bytes("Content-Length: " + body.length + "\r\n\r\n"));
        wire.writeBytes(body);
      }
      expected.add("POST /x HTTP/1.1|" + new String(body, StandardCharsets.ISO_8859_1));
    }

    assertThat(parse(wire.toByteArray(), pieces)).isEqualTo(expected);
  }

  @Property(tries = 1000)
  void randomBytesAreRefusedOrRead(@ForAll byte[] bytes) {
    try {
      assertThat(parse(bytes, List.of()).size()).isLessThanOrEqualTo(bytes.length);
    } catch (MalformedMessageException e) {
      assertThat(e.status()).isBetween(400, 431);
    }
  }
}
