package dev.paramecium.container.stack;

import dev.paramecium.container.process.SocketInfo;

/** The states of RFC 9293, 3.3.2; a listener and TIME-WAIT are objects of their own. */
enum TcpState {
  SYN_SENT,
  SYN_RECEIVED,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  CLOSE_WAIT,
  CLOSING,
  LAST_ACK,
  CLOSED;

  /** As the kernel names it to {@code netstat}. */
  SocketInfo.State shown() {
    return switch (this) {
      case SYN_SENT -> SocketInfo.State.SYN_SENT;
      case SYN_RECEIVED -> SocketInfo.State.SYN_RECV;
      case ESTABLISHED -> SocketInfo.State.ESTABLISHED;
      case FIN_WAIT_1 -> SocketInfo.State.FIN_WAIT1;
      case FIN_WAIT_2 -> SocketInfo.State.FIN_WAIT2;
      case CLOSE_WAIT -> SocketInfo.State.CLOSE_WAIT;
      case CLOSING -> SocketInfo.State.CLOSING;
      case LAST_ACK -> SocketInfo.State.LAST_ACK;
      case CLOSED -> SocketInfo.State.CLOSE;
    };
  }

  /** Both sides know each other's sequence numbers. */
  boolean isSynchronized() {
    return this != SYN_SENT && this != SYN_RECEIVED && this != CLOSED;
  }

  /** The process may still write. */
  boolean canSend() {
    return this == ESTABLISHED || this == CLOSE_WAIT;
  }

  /** The peer may still send data. */
  boolean canReceive() {
    return this == ESTABLISHED || this == FIN_WAIT_1 || this == FIN_WAIT_2;
  }
}
