package dev.paramecium.datapath.underlay;

import dev.paramecium.bpf.SkBuff;
import java.io.Closeable;
import org.jspecify.annotations.Nullable;

/**
 * A node's UDP sockets, by whatever means the platform has.
 *
 * <pre>
 *   VXLAN    bound to LISTEN_IP:PORT       receives
 *   FRAMES   bound to LISTEN_IP:PORT+1     receives and sends
 *   flow i   bound to LISTEN_IP:any        sends VXLAN of the flows whose hash falls on i
 * </pre>
 *
 * One thread sends; another receives.
 */
interface DatagramSockets extends Closeable {

  /** The socket that VXLAN arrives at. */
  int VXLAN = 0;

  /** The socket that any other frame goes through. */
  int FRAMES = 1;

  /** The first of the flow sockets. */
  int FLOW = 2;

  /** How many sockets, and so source ports, flows are spread over. */
  int FLOWS = 16;

  /** {@code udp-gso}, {@code udp-nio}. */
  String kind();

  /** The ports that the flow sockets are bound to. */
  int[] flowPorts();

  /**
   * Sends a datagram, at the latest with the next {@link #flush}.
   *
   * @param socket {@link #FRAMES}, or {@link #FLOW} and up
   * @param address in host order
   */
  void send(int socket, int address, int port, byte[] bytes, int at, int length);

  /** Sends what waits; answers how many datagrams the system did not take since the last flush. */
  int flush();

  /**
   * Waits for datagrams and gives what is there to {@code sink}; answers false once {@link #close}
   * was called.
   */
  boolean receive(Sink sink);

  /** Ends a waiting {@link #receive}, which then closes the sockets. */
  @Override
  void close();

  /** Where received datagrams go. */
  interface Sink {

    /**
     * A packet with room for {@code length} bytes from {@link SkBuff#HEADROOM} on, or null if the
     * datagram is to be dropped.
     */
    @Nullable SkBuff room(int length);

    /** What comes next are so many datagrams that the system received as one. */
    default void burst(int datagrams) {}

    /** The packet holds its datagram now. */
    void arrived(SkBuff packet, int socket, int sourceAddress, int sourcePort);

    /** All that was there has been given. */
    void flush();
  }
}
