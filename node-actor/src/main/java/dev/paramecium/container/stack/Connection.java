package dev.paramecium.container.stack;

/** What the connection table holds: a live connection, or what is left of one. */
abstract sealed class Connection permits TcpSocket, TimeWait {

  final int localAddress;
  final int localPort;
  final int remoteAddress;
  final int remotePort;

  Connection(int localAddress, int localPort, int remoteAddress, int remotePort) {
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }
}
