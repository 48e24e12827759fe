package dev.paramecium.datapath.sock;

/** A program on sockets, by what it looks at. */
public sealed interface SocketProgram {

  /** A socket call and the address in it. */
  record OnCall(SockAddrProgram program) implements SocketProgram {}

  /** A connection that was established. */
  record OnEstablished(BpfSockops program) implements SocketProgram {}

  /** What a socket in the sock map sends. */
  record OnMessage(BpfRedir program) implements SocketProgram {}
}
