package dev.paramecium.container.socket;

import dev.paramecium.abi.Ipv4Address;

/** Sends ICMP echo requests (RFC 792) with one identifier. */
public interface PingSocket {

  int identifier();

  void send(Ipv4Address destination, int sequence, int ttl, byte[] payload) throws SocketException;

  void close();
}
