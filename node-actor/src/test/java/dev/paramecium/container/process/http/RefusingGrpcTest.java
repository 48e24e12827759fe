package dev.paramecium.container.process.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Frames as bytes, between two hosts. */
class RefusingGrpcTest {

  private static final int PORT = 4245;
  private static final String PREFACE = "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a";
  private static final String EMPTY_SETTINGS = "000000040000000000";
  private static final String SETTINGS_ACK = "000000040100000000";

  /** {@code :status 200, content-type application/grpc, grpc-status 14, grpc-message no}. */
  private static final String REFUSAL =
      "88"
          + "0f1010"
          + text("application/grpc")
          + "000b"
          + text("grpc-status")
          + "02"
          + text("14")
          + "000c"
          + text("grpc-message")
          + "02"
          + text("no");

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host server = network.host("server", 2, "pause");
  private final VirtualNetwork.Host client = network.host("client", 1, "pause");
  private final ByteArrayOutputStream received = new ByteArrayOutputStream();
  private boolean over;
  private TcpConnection connection;

  private static String text(String ascii) {
    return HexFormat.of().formatHex(ascii.getBytes(StandardCharsets.US_ASCII));
  }

  /** Keeps what comes. */
  private final class Client implements TcpHandler {
    @Override
    public void data(TcpConnection from, byte[] bytes, int offset, int count) {
      received.write(bytes, offset, count);
    }

    @Override
    public void peerClosed(TcpConnection from) {
      over = true;
    }

    @Override
    public void failed(TcpConnection from, SocketError error) {
      over = true;
    }
  }

  @BeforeEach
  void listen() throws Exception {
    server.stack.listen(
        Ipv4Address.ANY, PORT, 8, _ -> new RefusingGrpc(RefusingGrpc.UNAVAILABLE, "no"));
    connect();
  }

  private void connect() throws Exception {
    over = false;
    connection =
        client.stack.connect(new SocketAddress(Ipv4Address.parse("10.0.0.2"), PORT), new Client());
    network.pass(10);
  }

  private String send(String hex) {
    received.reset();
    byte[] bytes = HexFormat.of().parseHex(hex);
    connection.write(bytes, 0, bytes.length);
    network.pass(10);
    return HexFormat.of().formatHex(received.toByteArray());
  }

  @Test
  void refusesACallWithTrailersOnly() {
    assertThat(send(PREFACE + EMPTY_SETTINGS)).isEqualTo(EMPTY_SETTINGS + SETTINGS_ACK);
    // HEADERS with END_HEADERS and END_STREAM on stream 1: what is in the block does not matter.
    assertThat(send("000001010500000001" + "83"))
        .isEqualTo("%06x".formatted(REFUSAL.length() / 2) + "010500000001" + REFUSAL);
  }

  @Test
  void asksForNoMoreOfARequestThatGoesOn() {
    send(PREFACE + EMPTY_SETTINGS);
    assertThat(send("000001010400000003" + "83"))
        .endsWith(REFUSAL + "000004030000000003" + "00000000");
    assertThat(send("000003000100000003" + "010203"))
        .as("the connection's window is what it was")
        .isEqualTo("000004080000000000" + "00000003");
  }

  @Test
  void waitsForTheEndOfTheHeaders() {
    send(PREFACE + EMPTY_SETTINGS);
    assertThat(send("000001010100000001" + "83")).isEmpty();
    assertThat(send("000001090400000001" + "86")).endsWith(REFUSAL);
  }

  @Test
  void answersAPingAndReadsFramesThatComeInParts() {
    assertThat(send(PREFACE.substring(0, 20))).isEmpty();
    assertThat(send(PREFACE.substring(20))).isEqualTo(EMPTY_SETTINGS);
    assertThat(send("0000080600")).isEmpty();
    assertThat(send("00000000" + "0102030405060708"))
        .isEqualTo("000008060100000000" + "0102030405060708");
  }

  @Test
  void hangsUpOnAnotherProtocolAndOnFramesThatAreTooLong() throws Exception {
    send(text("GET / HTTP/1.1\r\n\r\n"));
    assertThat(over).isTrue();

    connect();
    send(PREFACE);
    assertThat(send("004001000000000001"))
        .as("GOAWAY, FRAME_SIZE_ERROR")
        .isEqualTo("000008070000000000" + "00000000" + "00000006");
    assertThat(over).isTrue();
  }
}
