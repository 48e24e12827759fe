package dev.paramecium.container.stack;

import static dev.paramecium.container.stack.ScriptedPeer.ACK;
import static dev.paramecium.container.stack.ScriptedPeer.FIN;
import static dev.paramecium.container.stack.ScriptedPeer.RST;
import static dev.paramecium.container.stack.ScriptedPeer.SYN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.stack.ScriptedPeer.Sent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The states and checks of RFC 9293, RFC 5961 and RFC 7323, one segment at a time. */
class TcpStateMachineTest {

  private static final int IRS = 1000;

  private final ScriptedPeer peer = new ScriptedPeer();
  private final Recorder process = new Recorder();
  private int iss;

  @AfterEach
  void nothingLeaks() {
    peer.stack.close();
    assertThat(peer.pool.inUse()).isZero();
    assertThat(peer.counter("Timers")).isZero();
  }

  private void listen() throws SocketException {
    peer.stack.listen(
        Ipv4Address.ANY,
        80,
        2,
        connection -> {
          process.push(connection);
          return process;
        });
  }

  /** The peer connects to the stack: ESTABLISHED, with the peer at IRS + 1. */
  private void establishPassively(byte[] options) throws SocketException {
    listen();
    peer.send(SYN, IRS, 0, options, new byte[0]);
    iss = peer.expect(SYN | ACK).seq();
    peer.send(ACK, IRS + 1, iss + 1);
    assertThat(process.connection).isNotNull();
  }

  private void establishPassively() throws SocketException {
    establishPassively(ScriptedPeer.mss(1460));
  }

  private TcpConnection connect() throws SocketException {
    peer.peerPort = 80;
    TcpConnection connection =
        peer.stack.connect(new SocketAddress(ScriptedPeer.PEER, 80), process);
    peer.stackPort = connection.local().port();
    iss = peer.expect(SYN).seq();
    return connection;
  }

  private TcpConnection establishActively() throws SocketException {
    TcpConnection connection = connect();
    peer.send(SYN | ACK, IRS, iss + 1, ScriptedPeer.mss(1460), new byte[0]);
    peer.expect(ACK);
    assertThat(process.connected).isTrue();
    return connection;
  }

  @Test
  void aListenerAnswersSynWithItsOptions() throws SocketException {
    listen();
    peer.timestamps = true;
    peer.send(SYN, IRS, 0, ScriptedPeer.mssAndSack(1400), new byte[0]);
    Sent answer = peer.expect(SYN | ACK);
    assertThat(answer.ack()).isEqualTo(IRS + 1);
    assertThat(answer.segment().mss).isEqualTo(1460);
    assertThat(answer.segment().sackPermitted).isTrue();
    assertThat(answer.segment().hasTimestamps).isTrue();
    assertThat(answer.segment().timestampEcho).isEqualTo(1000);
    assertThat(answer.segment().windowShift).as("not offered by the peer").isEqualTo(-1);
  }

  @Test
  void aSegmentForNoConnectionIsReset() {
    peer.send(ACK, 500, 700);
    Sent reset = peer.expect(RST);
    assertThat(reset.seq()).isEqualTo(700);
    peer.send(SYN, 500, 0);
    Sent refusal = peer.expect(RST | ACK);
    assertThat(refusal.ack()).isEqualTo(501);
    peer.send(RST, 500, 0);
    peer.expectNothing();
  }

  @Test
  void synIsRetriedSixTimesWithDoublingTimeouts() throws SocketException {
    connect();
    long seconds = 1;
    for (int retry = 1; retry <= 6; retry++) {
      peer.pass(seconds * 1000 - 1);
      peer.expectNothing();
      peer.pass(1);
      assertThat(peer.expect(SYN).seq()).isEqualTo(iss);
      seconds *= 2;
    }
    peer.pass(63_999);
    assertThat(process.failure).isNull();
    peer.pass(1);
    assertThat(process.failure).isEqualTo(SocketError.TIMED_OUT);
    peer.expectNothing();
  }

  @Test
  void synAckIsRetriedFiveTimesAndThenForgotten() throws SocketException {
    listen();
    peer.send(SYN, IRS, 0);
    peer.expect(SYN | ACK);
    peer.pass(31_000);
    assertThat(peer.pending()).isEqualTo(5);
    peer.pass(40_000);
    assertThat(peer.pending()).isEqualTo(5);
    assertThat(peer.counter("SockTcpInuse")).isZero();
    peer.forget();
  }

  @Test
  void aRepeatedSynIsAnsweredAgain() throws SocketException {
    listen();
    peer.send(SYN, IRS, 0);
    int first = peer.expect(SYN | ACK).seq();
    peer.send(SYN, IRS, 0);
    assertThat(peer.expect(SYN | ACK).seq()).isEqualTo(first);
  }

  @Test
  void synsBeyondTheBacklogAreIgnored() throws SocketException {
    listen();
    for (int i = 0; i < 5; i++) {
      peer.peerPort = 40_000 + i;
      peer.send(SYN, IRS, 0);
    }
    assertThat(peer.pending()).isEqualTo(2);
    assertThat(peer.counter("TcpExtListenOverflows")).isEqualTo(3);
    peer.forget();
  }

  @Test
  void connectionRefusedIsTold() throws SocketException {
    connect();
    peer.send(RST | ACK, 0, iss + 1);
    assertThat(process.failure).isEqualTo(SocketError.CONNECTION_REFUSED);
    assertThat(peer.counter("SockTcpInuse")).isZero();
  }

  @Test
  void aResetThatDoesNotAcknowledgeOurSynIsIgnored() throws SocketException {
    connect();
    peer.send(RST, 0, 0);
    peer.send(RST | ACK, 0, iss);
    assertThat(process.failure).isNull();
    assertThat(peer.counter("SockTcpInuse")).isEqualTo(1);
  }

  @Test
  void aSynAckForSomethingElseIsReset() throws SocketException {
    connect();
    peer.send(SYN | ACK, IRS, iss + 77);
    assertThat(peer.expect(RST).seq()).isEqualTo(iss + 77);
    assertThat(process.connected).isFalse();
  }

  @Test
  void simultaneousOpenEndsEstablished() throws SocketException {
    connect();
    peer.send(SYN, IRS, 0, ScriptedPeer.mss(1460), new byte[0]);
    Sent answer = peer.expect(SYN | ACK);
    assertThat(answer.seq()).isEqualTo(iss);
    assertThat(answer.ack()).isEqualTo(IRS + 1);
    peer.send(ACK, IRS + 1, iss + 1);
    assertThat(process.connected).isTrue();
    peer.send(ACK, IRS + 1, iss + 1, 10);
    assertThat(process.received.size()).isEqualTo(10);
  }

  @Test
  void closeThenPeersFinGoesThroughFinWaitToTimeWait() throws SocketException {
    establishActively();
    process.connection().close();
    Sent fin = peer.expect(FIN | ACK);
    assertThat(fin.seq()).isEqualTo(iss + 1);
    peer.send(ACK, IRS + 1, iss + 2);
    assertThat(process.closed).isFalse();
    peer.send(FIN | ACK, IRS + 1, iss + 2);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 2);
    assertThat(process.closed).isTrue();
    assertThat(peer.counter("SockTcpTimeWait")).isEqualTo(1);
    peer.pass(59_000);
    peer.send(FIN | ACK, IRS + 1, iss + 2);
    assertThat(peer.expect(ACK).ack()).as("FIN again is acknowledged").isEqualTo(IRS + 2);
    peer.pass(59_000);
    assertThat(peer.counter("SockTcpTimeWait")).as("60 s start afresh").isEqualTo(1);
    peer.pass(1_000);
    assertThat(peer.counter("SockTcpTimeWait")).isZero();
  }

  @Test
  void simultaneousCloseGoesThroughClosing() throws SocketException {
    establishActively();
    process.connection().close();
    peer.expect(FIN | ACK);
    peer.send(FIN | ACK, IRS + 1, iss + 1);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 2);
    assertThat(process.closed).isFalse();
    peer.send(ACK, IRS + 2, iss + 2);
    assertThat(process.closed).isTrue();
    assertThat(peer.counter("SockTcpTimeWait")).isEqualTo(1);
  }

  @Test
  void peersFinThenCloseGoesThroughLastAck() throws SocketException {
    establishPassively();
    peer.send(FIN | ACK, IRS + 1, iss + 1);
    assertThat(process.peerClosed).isTrue();
    Sent fin = peer.expect(FIN | ACK);
    assertThat(fin.ack()).isEqualTo(IRS + 2);
    assertThat(process.closed).isFalse();
    peer.send(ACK, IRS + 2, iss + 2);
    assertThat(process.closed).isTrue();
    assertThat(peer.counter("SockTcpInuse")).isZero();
    assertThat(peer.counter("SockTcpTimeWait")).isZero();
  }

  @Test
  void aResetInLastAckEndsTheConnectionWithoutAnError() throws SocketException {
    establishPassively();
    peer.send(FIN | ACK, IRS + 1, iss + 1);
    peer.expect(FIN | ACK);
    peer.send(RST, IRS + 2, 0);
    assertThat(process.failure).isNull();
    assertThat(process.closed).isTrue();
    assertThat(peer.counter("SockTcpInuse")).isZero();
  }

  @Test
  void whatWasNotReadStaysReadableAfterTheConnectionIsOver() throws SocketException {
    establishActively();
    process.connection().pauseReading();
    process.connection().shutdownWrite();
    peer.expect(FIN | ACK);
    peer.send(FIN | ACK, IRS + 1, iss + 2, 700);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 702);
    assertThat(peer.counter("SockTcpTimeWait")).isEqualTo(1);
    assertThat(process.closed).isFalse();
    process.connection().resumeReading();
    peer.pass(0);
    assertThat(process.received.size()).isEqualTo(700);
    assertThat(process.peerClosed).isTrue();
    assertThat(process.closed).isTrue();
  }

  @Test
  void aHalfClosedConnectionStillReceives() throws SocketException {
    establishActively();
    process.connection().shutdownWrite();
    peer.expect(FIN | ACK);
    peer.send(ACK, IRS + 1, iss + 2, 1000);
    peer.send(ACK, IRS + 1001, iss + 2, 500);
    assertThat(process.received.size()).isEqualTo(1500);
    peer.forget();
    peer.send(FIN | ACK, IRS + 1501, iss + 2);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 1502);
    assertThat(process.closed).isTrue();
  }

  @Test
  void dataAfterCloseIsReset() throws SocketException {
    establishActively();
    process.connection().close();
    peer.expect(FIN | ACK);
    peer.send(ACK, IRS + 1, iss + 2, 100);
    peer.expect(RST | ACK);
    assertThat(peer.counter("SockTcpInuse")).isZero();
    assertThat(process.received.size()).isZero();
  }

  @Test
  void anOrphanInFinWait2EndsAfterAMinute() throws SocketException {
    establishActively();
    process.connection().close();
    peer.expect(FIN | ACK);
    peer.send(ACK, IRS + 1, iss + 2);
    peer.pass(59_999);
    assertThat(peer.counter("SockTcpInuse")).isEqualTo(1);
    peer.pass(1);
    assertThat(peer.counter("SockTcpInuse")).isZero();
    assertThat(process.closed).isTrue();
  }

  @Test
  void abortSendsReset() throws SocketException {
    establishActively();
    process.connection().abort();
    assertThat(peer.expect(RST | ACK).seq()).isEqualTo(iss + 1);
    peer.pass(1000);
    assertThat(process.isOver()).isFalse();
  }

  @Test
  void closingWithUnreadDataSendsReset() throws SocketException {
    establishActively();
    process.connection().pauseReading();
    peer.send(ACK, IRS + 1, iss + 1, 100);
    peer.forget();
    process.connection().close();
    peer.expect(RST | ACK);
    assertThat(peer.counter("SockTcpInuse")).isZero();
  }

  @Test
  void aResetAtTheNextSequenceNumberEndsTheConnection() throws SocketException {
    establishPassively();
    peer.send(RST, IRS + 1, 0);
    assertThat(process.failure).isEqualTo(SocketError.CONNECTION_RESET);
    assertThat(peer.counter("SockTcpInuse")).isZero();
  }

  @Test
  void aResetElsewhereInTheWindowIsChallenged() throws SocketException {
    establishPassively();
    peer.send(RST, IRS + 100, 0);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 1);
    assertThat(process.failure).isNull();
    peer.send(RST, IRS - 5000, 0);
    peer.expectNothing();
  }

  @Test
  void aSynInTheWindowIsChallenged() throws SocketException {
    establishPassively();
    peer.send(SYN, IRS + 50, 0);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 1);
    assertThat(process.isOver()).isFalse();
  }

  @Test
  void acknowledgementsOfWhatWasNeverSentAreChallenged() throws SocketException {
    establishPassively();
    peer.send(ACK, IRS + 1, iss + 5000, 10);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 1);
    assertThat(process.received.size()).isZero();
    peer.send(ACK, IRS + 1, iss - 0x1000_0000, 10);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 1);
    assertThat(process.received.size()).isZero();
  }

  @Test
  void challengesAreLimitedToAThousandASecond() throws SocketException {
    establishPassively();
    for (int i = 0; i < 1500; i++) {
      peer.send(RST, IRS + 100, 0);
    }
    assertThat(peer.pending()).isEqualTo(1000);
    peer.forget();
  }

  @Test
  void anOldDuplicateByTimestampIsAcknowledgedAndDropped() throws SocketException {
    peer.timestamps = true;
    establishPassively();
    peer.timestamp = 2000;
    peer.send(ACK, IRS + 1, iss + 1, 100);
    assertThat(process.received.size()).isEqualTo(100);
    peer.forget();
    peer.timestamp = 1500;
    peer.send(ACK, IRS + 101, iss + 1, 100);
    assertThat(process.received.size()).isEqualTo(100);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 101);
    assertThat(peer.counter("TcpExtPAWSEstab")).isEqualTo(1);
  }

  @Test
  void dataOutOfOrderIsReportedBySackAndDeliveredInOrder() throws SocketException {
    establishPassively(ScriptedPeer.mssAndSack(1460));
    peer.send(ACK, IRS + 101, iss + 1, 100);
    Sent first = peer.expect(ACK);
    assertThat(first.ack()).isEqualTo(IRS + 1);
    assertThat(first.segment().sackCount).isEqualTo(1);
    assertThat(first.segment().sackLeft[0]).isEqualTo(IRS + 101);
    assertThat(first.segment().sackRight[0]).isEqualTo(IRS + 201);
    peer.send(ACK, IRS + 301, iss + 1, 100);
    Sent second = peer.expect(ACK);
    assertThat(second.segment().sackCount).isEqualTo(2);
    assertThat(second.segment().sackLeft[0]).as("latest first").isEqualTo(IRS + 301);
    assertThat(second.segment().sackLeft[1]).isEqualTo(IRS + 101);
    peer.send(ACK, IRS + 1, iss + 1, 100);
    Sent third = peer.expect(ACK);
    assertThat(third.ack()).isEqualTo(IRS + 201);
    assertThat(process.received.size()).isEqualTo(200);
    peer.send(ACK, IRS + 201, iss + 1, 100);
    assertThat(peer.expect(ACK).ack()).isEqualTo(IRS + 401);
    assertThat(process.received.size()).isEqualTo(400);
  }

  @Test
  void aDuplicateIsReportedByDsack() throws SocketException {
    establishPassively(ScriptedPeer.mssAndSack(1460));
    peer.send(ACK, IRS + 1, iss + 1, 100);
    peer.forget();
    peer.send(ACK, IRS + 1, iss + 1, 100);
    Sent answer = peer.expect(ACK);
    assertThat(answer.segment().sackCount).isEqualTo(1);
    assertThat(answer.segment().sackLeft[0]).isEqualTo(IRS + 1);
    assertThat(answer.segment().sackRight[0]).isEqualTo(IRS + 101);
    assertThat(process.received.size()).isEqualTo(100);
  }

  @Test
  void finBehindAGapWaitsForTheGap() throws SocketException {
    establishPassively();
    peer.send(FIN | ACK, IRS + 101, iss + 1, 50);
    assertThat(process.peerClosed).isFalse();
    peer.send(ACK, IRS + 1, iss + 1, 100);
    peer.forget();
    assertThat(process.received.size()).isEqualTo(150);
    peer.send(FIN | ACK, IRS + 151, iss + 1);
    assertThat(process.peerClosed).isTrue();
    peer.forget();
  }

  @Test
  void dataBeyondTheWindowIsCutOff() throws SocketException {
    establishPassively();
    process.connection().pauseReading();
    int sent = 0;
    while (sent < 70_000) {
      peer.send(ACK, IRS + 1 + sent, iss + 1, 1400);
      sent += 1400;
    }
    peer.forget();
    process.connection().resumeReading();
    peer.pass(0);
    assertThat(process.received.size()).isEqualTo(65_535);
  }

  @Test
  void aNewSynMayTakeOverTimeWait() throws SocketException {
    peer.timestamps = true;
    listen();
    peer.send(SYN, IRS, 0);
    iss = peer.expect(SYN | ACK).seq();
    peer.send(ACK, IRS + 1, iss + 1);
    process.connection().close();
    peer.expect(FIN | ACK);
    peer.send(FIN | ACK, IRS + 1, iss + 2);
    peer.expect(ACK);
    assertThat(peer.counter("SockTcpTimeWait")).isEqualTo(1);
    peer.send(SYN, IRS - 10_000, 0);
    assertThat(peer.expect(ACK).ack()).as("an old SYN").isEqualTo(IRS + 2);
    peer.timestamp += 10;
    peer.send(SYN, IRS - 10_000, 0);
    Sent answer = peer.expect(SYN | ACK);
    assertThat(Seq.after(answer.seq(), iss + 2)).isTrue();
    assertThat(peer.counter("SockTcpTimeWait")).isZero();
    assertThat(peer.counter("TcpExtTWRecycled")).isEqualTo(1);
  }

  @Test
  void aListenerThatClosesResetsWhatWaits() throws SocketException {
    var listener = peer.stack.listen(Ipv4Address.ANY, 81, 8, _ -> process);
    peer.stackPort = 81;
    peer.send(SYN, IRS, 0);
    peer.expect(SYN | ACK);
    listener.close();
    peer.expect(RST | ACK);
    peer.send(SYN, IRS, 0);
    peer.expect(RST | ACK);
  }

  @Test
  void initialSequenceNumbersDifferByPeerAndGrowWithTime() throws SocketException {
    listen();
    peer.send(SYN, IRS, 0);
    int first = peer.expect(SYN | ACK).seq();
    peer.send(RST, IRS + 1, 0);
    peer.pass(1);
    peer.send(SYN, IRS, 0);
    int later = peer.expect(SYN | ACK).seq();
    assertThat(later - first).as("a clock of 64 ns").isEqualTo(1_000_000 / 64);
    peer.peerPort++;
    peer.send(SYN, IRS, 0);
    assertThat(Math.abs(peer.expect(SYN | ACK).seq() - later)).isGreaterThan(100_000);
  }

  @Test
  void keepAliveFindsADeadPeer() throws SocketException {
    establishPassively();
    process.connection().setKeepAlive(10_000, 1_000, 3);
    peer.pass(9_999);
    peer.expectNothing();
    peer.pass(1);
    Sent probe = peer.expect(ACK);
    assertThat(probe.seq()).isEqualTo(iss);
    peer.send(ACK, IRS + 1, iss + 1);
    peer.pass(10_000);
    peer.expect(ACK);
    peer.pass(1_000);
    peer.expect(ACK);
    peer.pass(1_000);
    peer.expect(ACK);
    assertThat(process.failure).isNull();
    peer.pass(1_000);
    peer.expect(RST | ACK);
    assertThat(process.failure).isEqualTo(SocketError.TIMED_OUT);
  }
}
