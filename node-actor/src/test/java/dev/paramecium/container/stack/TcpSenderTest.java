package dev.paramecium.container.stack;

import static dev.paramecium.container.stack.ScriptedPeer.ACK;
import static dev.paramecium.container.stack.ScriptedPeer.FIN;
import static dev.paramecium.container.stack.ScriptedPeer.SYN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.stack.ScriptedPeer.Sent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a sender does when, against a peer that the test plays. */
class TcpSenderTest {

  private static final int IRS = 1000;
  private static final int MSS = 1000;

  private final ScriptedPeer peer = new ScriptedPeer();
  private final Recorder process = new Recorder();
  private int iss;

  @AfterEach
  void nothingLeaks() {
    peer.stack.close();
    assertThat(peer.pool.inUse()).isZero();
  }

  /** ESTABLISHED, with a round trip of 100 ms, MSS 1000 and SACK if {@code options} permit it. */
  private void establish(byte[] options) throws SocketException {
    peer.stack.listen(
        Ipv4Address.ANY,
        80,
        2,
        connection -> {
          process.push(connection);
          return process;
        });
    peer.send(SYN, IRS, 0, options, new byte[0]);
    iss = peer.expect(SYN | ACK).seq();
    peer.pass(100);
    peer.send(ACK, IRS + 1, iss + 1);
  }

  private void establish() throws SocketException {
    establish(ScriptedPeer.mss(MSS));
  }

  private int write(int count) {
    return process.connection().write(new byte[count], 0, count);
  }

  private void ack(int bytes) {
    peer.send(ACK, IRS + 1, iss + 1 + bytes);
  }

  private void ackWithSack(int bytes, int... edges) {
    int[] absolute = new int[edges.length];
    for (int i = 0; i < edges.length; i++) {
      absolute[i] = iss + 1 + edges[i];
    }
    peer.send(ACK, IRS + 1, iss + 1 + bytes, ScriptedPeer.sack(absolute), new byte[0]);
  }

  private int offset(Sent segment) {
    return segment.seq() - iss - 1;
  }

  @Test
  void theInitialWindowIsTenSegments() throws SocketException {
    establish();
    write(50_000);
    assertThat(peer.pending()).isEqualTo(10);
    ack(1000);
    assertThat(peer.pending()).as("slow start: two for one").isEqualTo(12);
    peer.forget();
  }

  @Test
  void retransmissionTimeoutsDoubleUntilTheLimitAndGiveUpAfterFifteenMinutes()
      throws SocketException {
    establish();
    write(100);
    assertThat(offset(peer.expect(ACK))).isZero();
    // 100 ms round trip, variance floor 200 ms.
    long timeout = 300;
    long total = 0;
    while (total + timeout < 925_000 + 120_000) {
      peer.pass(timeout - 1);
      if (process.failure != null) {
        break;
      }
      peer.expectNothing();
      peer.pass(1);
      if (process.failure != null) {
        break;
      }
      assertThat(offset(peer.expect(ACK))).as("at " + total).isZero();
      total += timeout;
      timeout = Math.min(120_000, timeout * 2);
    }
    assertThat(process.failure).isEqualTo(SocketError.TIMED_OUT);
    assertThat(total).isBetween(800_000L, 1_045_000L);
    assertThat(peer.counter("SockTcpInuse")).isZero();
  }

  @Test
  void aTimeoutSendsOneSegmentAndSlowStarts() throws SocketException {
    establish();
    write(10_000);
    peer.forget();
    peer.pass(300);
    assertThat(offset(peer.expect(ACK))).isZero();
    peer.expectNothing();
    ack(1000);
    assertThat(offset(peer.expect(ACK))).isEqualTo(1000);
    assertThat(offset(peer.expect(ACK))).isEqualTo(2000);
    peer.expectNothing();
  }

  @Test
  void threeDuplicateAcknowledgementsRetransmitWithoutSack() throws SocketException {
    establish();
    write(10_000);
    peer.forget();
    ack(0);
    ack(0);
    peer.expectNothing();
    ack(0);
    assertThat(offset(peer.expect(ACK))).as("fast retransmit").isZero();
    for (int i = 0; i < 6; i++) {
      ack(0);
    }
    ack(10_000);
    assertThat(peer.counter("TcpExtTCPRenoRecovery")).isEqualTo(1);
    assertThat(peer.counter("TcpRetransSegs")).isEqualTo(1);
  }

  @Test
  void aPartialAcknowledgementRetransmitsTheNextHole() throws SocketException {
    establish();
    write(10_000);
    peer.forget();
    for (int i = 0; i < 3; i++) {
      ack(0);
    }
    assertThat(offset(peer.expect(ACK))).isZero();
    ack(4000);
    assertThat(offset(peer.expect(ACK))).as("RFC 6582").isEqualTo(4000);
    ack(10_000);
  }

  @Test
  void sackRetransmitsOnlyWhatIsMissing() throws SocketException {
    establish(ScriptedPeer.mssAndSack(MSS));
    write(10_000);
    peer.forget();
    peer.pass(100);
    // Segments 0 and 4 are lost; everything was sent at once, so the holes are known at once.
    ackWithSack(0, 1000, 2000);
    ackWithSack(0, 1000, 3000);
    peer.expectNothing();
    ackWithSack(0, 1000, 4000);
    assertThat(offset(peer.expect(ACK))).isZero();
    ackWithSack(0, 5000, 8000, 1000, 4000);
    assertThat(offset(peer.expect(ACK))).isEqualTo(4000);
    ackWithSack(0, 5000, 10_000, 1000, 4000);
    ack(10_000);
    peer.expectNothing();
    assertThat(peer.counter("TcpRetransSegs")).isEqualTo(2);
    assertThat(peer.counter("TcpExtTCPTimeouts")).isZero();
  }

  @Test
  void aLostRetransmissionIsFoundBySomethingSentAfterIt() throws SocketException {
    establish(ScriptedPeer.mssAndSack(MSS));
    write(20_000);
    peer.forget();
    peer.pass(100);
    ackWithSack(0, 1000, 10_000);
    assertThat(offset(peer.next())).as("retransmitted").isZero();
    int news = peer.pending();
    assertThat(news).as("new data follows").isPositive();
    peer.forget();
    peer.pass(100);
    ackWithSack(0, 1000, 10_000 + 1000 * news);
    assertThat(offset(peer.next())).as("again, without a timeout").isZero();
    assertThat(peer.counter("TcpExtTCPTimeouts")).isZero();
    peer.forget();
  }

  @Test
  void aLostTailIsProbedBeforeTheTimeout() throws SocketException {
    establish(ScriptedPeer.mssAndSack(MSS));
    write(3000);
    peer.forget();
    peer.pass(100);
    ack(1000);
    // Two round trips and a little.
    peer.pass(207);
    peer.expectNothing();
    peer.pass(1);
    assertThat(offset(peer.expect(ACK))).as("the last segment").isEqualTo(2000);
    assertThat(peer.counter("TcpExtTCPLossProbes")).isEqualTo(1);
    assertThat(peer.counter("TcpExtTCPTimeouts")).isZero();
  }

  @Test
  void reorderingWithinAQuarterRoundTripDoesNotReduceTheWindow() throws SocketException {
    establish(ScriptedPeer.mssAndSack(MSS));
    write(10_000);
    peer.forget();
    peer.pass(100);
    ackWithSack(0, 1000, 2000);
    peer.pass(10);
    ack(10_000);
    peer.pass(100);
    peer.expectNothing();
    assertThat(peer.counter("TcpRetransSegs")).isZero();
  }

  @Test
  void aSpuriousRecoveryIsUndone() throws SocketException {
    establish(ScriptedPeer.mssAndSack(MSS));
    write(30_000);
    peer.forget();
    peer.pass(100);
    ackWithSack(0, 1000, 6000);
    assertThat(offset(peer.next())).isZero();
    peer.forget();
    // The original was late: everything arrives, and the retransmission is a duplicate.
    ackWithSack(10_000, 0, 1000);
    assertThat(peer.counter("TcpExtTCPDSACKUndo")).isEqualTo(1);
    peer.forget();
  }

  @Test
  void smallWritesWaitForTheSmallSegmentInFlight() throws SocketException {
    establish();
    write(10);
    assertThat(peer.expect(ACK).data()).hasSize(10);
    write(20);
    write(30);
    peer.expectNothing();
    ack(10);
    assertThat(peer.expect(ACK).data()).as("Nagle: all at once").hasSize(50);
    process.connection().setNoDelay(true);
    write(5);
    assertThat(peer.expect(ACK).data()).hasSize(5);
    write(6);
    assertThat(peer.expect(ACK).data()).hasSize(6);
  }

  @Test
  void closeFlushesTheSmallRest() throws SocketException {
    establish();
    write(10);
    write(20);
    peer.forget();
    process.connection().close();
    Sent last = peer.expect(FIN | ACK);
    assertThat(last.data()).hasSize(20);
  }

  @Test
  void aClosedWindowIsProbedWithBackOff() throws SocketException {
    establish();
    peer.window = 2000;
    ack(0);
    write(5000);
    assertThat(peer.pending()).isEqualTo(2);
    peer.forget();
    peer.window = 0;
    peer.pass(100);
    ack(2000);
    peer.expectNothing();
    long wait = 300;
    for (int probe = 0; probe < 5; probe++) {
      peer.pass(wait - 1);
      peer.expectNothing();
      peer.pass(1);
      Sent sent = peer.expect(ACK);
      assertThat(sent.data()).isEmpty();
      assertThat(offset(sent)).as("an old sequence number").isEqualTo(1999);
      ack(2000);
      wait *= 2;
    }
    peer.window = 65_535;
    ack(2000);
    assertThat(peer.pending()).isEqualTo(3);
    peer.forget();
    assertThat(process.failure).isNull();
  }

  @Test
  void aSliverOfWindowIsNotFilledAtOnce() throws SocketException {
    establish();
    peer.window = 4000;
    ack(0);
    write(10_000);
    assertThat(peer.pending()).isEqualTo(4);
    peer.forget();
    peer.window = 100;
    peer.pass(100);
    ack(4000);
    peer.expectNothing();
    peer.pass(300);
    assertThat(peer.expect(ACK).data()).as("the override timer").hasSize(100);
  }

  @Test
  void everySecondSegmentIsAcknowledgedAndALoneOneAfterFortyMilliseconds() throws SocketException {
    establish();
    int at = IRS + 1;
    for (int i = 0; i < 16; i++) {
      peer.send(ACK, at, iss + 1, 1000);
      at += 1000;
    }
    assertThat(peer.pending()).as("a connection's start is acknowledged at once").isEqualTo(16);
    peer.forget();
    peer.send(ACK, at, iss + 1, 1000);
    peer.expectNothing();
    peer.send(ACK, at + 1000, iss + 1, 1000);
    assertThat(peer.expect(ACK).ack()).isEqualTo(at + 2000);
    peer.send(ACK, at + 2000, iss + 1, 1000);
    peer.pass(39);
    peer.expectNothing();
    peer.pass(1);
    assertThat(peer.expect(ACK).ack()).isEqualTo(at + 3000);
  }

  @Test
  void aFullReceiveBufferClosesTheWindowAndReadingOpensIt() throws SocketException {
    establish();
    process.connection().pauseReading();
    int at = IRS + 1;
    int last = 65_535;
    for (int i = 0; i < 65; i++) {
      peer.send(ACK, at, iss + 1, 1000);
      at += 1000;
      while (peer.pending() > 0) {
        last = peer.next().segment().window;
      }
    }
    peer.pass(100);
    while (peer.pending() > 0) {
      last = peer.next().segment().window;
    }
    assertThat(last).isLessThan(1000);
    process.connection().resumeReading();
    peer.pass(0);
    assertThat(process.received.size()).isEqualTo(65_000);
    Sent update = peer.expect(ACK);
    assertThat(update.segment().window).as("window update").isGreaterThan(60_000);
  }

  @Test
  void aLowerPathMtuCutsSegmentsAndSendsThemAgain() throws SocketException {
    establish(ScriptedPeer.mss(1460));
    write(2920);
    Sent first = peer.next();
    assertThat(first.data()).hasSize(1460);
    peer.forget();
    peer.receive(
        IcmpFrames.fragmentationNeeded(
            ScriptedPeer.PEER, ScriptedPeer.STACK, first, 80, 40_000, 1000));
    assertThat(peer.next().data()).hasSize(960);
    peer.forget();
    assertThat(peer.counter("TcpRetransSegs")).isPositive();
    ack(2920);
    write(2000);
    assertThat(peer.next().data()).hasSize(960);
    peer.forget();
  }

  @Test
  void forgedPathMtusAreIgnored() throws SocketException {
    establish(ScriptedPeer.mss(1460));
    write(1460);
    Sent first = peer.next();
    Sent forged = new Sent(0, new TcpSegment(), new byte[0]);
    forged.segment().seq = first.seq() + 1_000_000;
    peer.receive(
        IcmpFrames.fragmentationNeeded(
            ScriptedPeer.PEER, ScriptedPeer.STACK, forged, 80, 40_000, 600));
    peer.expectNothing();
    ack(1460);
    write(1460);
    assertThat(peer.next().data()).hasSize(1460);
  }
}
