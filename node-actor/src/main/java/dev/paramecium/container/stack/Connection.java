package dev.paramecium.container.stack;

/** What the connection table holds: a live connection, or what is left of one. */
abstract sealed class Connection permits TcpSocket, TimeWait {

  final int localAddress;
  final int localPort;
  final int remoteAddress;
  final int remotePort;

  /** SO_MARK; 0 for the namespace's own. */
  final int mark;

  Connection(int localAddress, int localPort, int remoteAddress, int remotePort, int mark) {
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.mark = mark;
  }
}
