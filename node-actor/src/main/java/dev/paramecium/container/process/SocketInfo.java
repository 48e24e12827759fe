package dev.paramecium.container.process;

import dev.paramecium.container.socket.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A socket of a namespace, as {@code netstat} and {@code ss} list them.
 *
 * @param remote null if it has no peer
 * @param receiveQueue bytes that the process has not read
 * @param sendQueue bytes that the peer has not acknowledged; of a listener its backlog
 */
public record SocketInfo(
    Protocol protocol,
    State state,
    SocketAddress local,
    @Nullable SocketAddress remote,
    int receiveQueue,
    int sendQueue) {

  /** What it speaks. */
  public enum Protocol {
    TCP,
    UDP
  }

  /** Its state, by the kernel's names (include/net/tcp_states.h). */
  public enum State {
    ESTABLISHED("ESTABLISHED", "ESTAB"),
    SYN_SENT("SYN_SENT", "SYN-SENT"),
    SYN_RECV("SYN_RECV", "SYN-RECV"),
    FIN_WAIT1("FIN_WAIT1", "FIN-WAIT-1"),
    FIN_WAIT2("FIN_WAIT2", "FIN-WAIT-2"),
    TIME_WAIT("TIME_WAIT", "TIME-WAIT"),
    CLOSE_WAIT("CLOSE_WAIT", "CLOSE-WAIT"),
    LAST_ACK("LAST_ACK", "LAST-ACK"),
    LISTEN("LISTEN", "LISTEN"),
    CLOSING("CLOSING", "CLOSING"),
    /** A UDP socket without a peer. */
    CLOSE("", "UNCONN");

    private final String netstat;
    private final String ss;

    State(String netstat, String ss) {
      this.netstat = netstat;
      this.ss = ss;
    }

    /** As {@code netstat} prints it. */
    public String netstat() {
      return netstat;
    }

    /** As {@code ss} prints it. */
    public String ss() {
      return ss;
    }
  }

  /** Whether it waits for peers and has none. */
  public boolean isServer() {
    return state == State.LISTEN || state == State.CLOSE;
  }
}
