package dev.paramecium.container.socket;

import dev.paramecium.abi.Ipv4Address;

/** {@code SOCK_RAW}: payloads of one IP protocol that the stack itself does not speak (raw(7)). */
public interface RawSocket {

  /** Hears every datagram of the protocol that is for the namespace. */
  @FunctionalInterface
  interface Handler {

    /**
     * @param payload what follows the IPv4 header
     */
    void datagram(Ipv4Address from, byte[] payload);
  }

  /**
   * Sends one datagram.
   *
   * @param payload what follows the IPv4 header, at most 65515 bytes
   * @throws SocketException if there is no route, or it is too long
   */
  void send(Ipv4Address destination, byte[] payload) throws SocketException;

  void close();
}
