package dev.paramecium.datapath.underlay;

import dev.paramecium.bpf.SkBuff;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import org.jspecify.annotations.Nullable;

/** UDP by java.nio: one system call a datagram, on any platform. */
final class NioSockets implements DatagramSockets {

  private static final int SOCKET_BUFFER = 4 << 20;
  private static final int MAX_DATAGRAM = 65_535;

  /** How many datagrams one {@link #receive} takes from a socket before it looks at the other. */
  private static final int BUDGET = 64;

  private final DatagramChannel[] channels = new DatagramChannel[FLOW + FLOWS];
  private final int[] flowPorts = new int[FLOWS];
  private final Selector selector;
  private final ByteBuffer incoming = ByteBuffer.allocateDirect(MAX_DATAGRAM);
  private final InetSocketAddress[] destinations = new InetSocketAddress[64];
  private volatile boolean closed;
  private int failed;

  /**
   * @throws UnderlayException if a port is taken or the address is not this machine's
   */
  NioSockets(InetSocketAddress listen) {
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UnderlayException("no selector can be opened: " + e.getMessage(), e);
    }
    try {
      for (int i = 0; i < channels.length; i++) {
        int port = i == VXLAN ? listen.getPort() : i == FRAMES ? listen.getPort() + 1 : 0;
        channels[i] = open(new InetSocketAddress(listen.getAddress(), port), i < FLOW);
        if (i >= FLOW) {
          flowPorts[i - FLOW] = ((InetSocketAddress) channels[i].getLocalAddress()).getPort();
        } else {
          channels[i].register(selector, SelectionKey.OP_READ, i);
        }
      }
    } catch (IOException e) {
      closeAll();
      throw new UnderlayException(String.valueOf(e.getMessage()), e);
    } catch (UnderlayException e) {
      closeAll();
      throw e;
    }
  }

  private static DatagramChannel open(InetSocketAddress local, boolean receives)
      throws IOException {
    DatagramChannel channel = DatagramChannel.open();
    try {
      channel.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
      if (receives) {
        channel.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER);
      }
      channel.bind(local);
      channel.configureBlocking(false);
      return channel;
    } catch (BindException e) {
      channel.close();
      throw Underlays.cannotBind("UDP", local, e);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public String kind() {
    return "udp-nio";
  }

  @Override
  public int[] flowPorts() {
    return flowPorts.clone();
  }

  @Override
  public void send(int socket, int address, int port, byte[] bytes, int at, int length) {
    try {
      if (channels[socket].send(ByteBuffer.wrap(bytes, at, length), to(address, port)) == 0) {
        failed++;
      }
    } catch (IOException _) {
      failed++; // the socket's buffer is full, or no route: UDP promises nothing
    }
  }

  private InetSocketAddress to(int address, int port) {
    int slot = (address ^ port) & (destinations.length - 1);
    InetSocketAddress known = destinations[slot];
    if (known == null
        || known.getPort() != port
        || SocketAddresses.value(known.getAddress()) != address) {
      known = SocketAddresses.of(new dev.paramecium.abi.Ipv4Address(address), port);
      destinations[slot] = known;
    }
    return known;
  }

  @Override
  public int flush() {
    int count = failed;
    failed = 0;
    return count;
  }

  @Override
  public boolean receive(Sink sink) {
    try {
      selector.select(key -> drain((int) key.attachment(), sink));
    } catch (IOException | ClosedSelectorException _) {
      closed = true;
    }
    if (closed) {
      closeAll();
      return false;
    }
    return true;
  }

  private void drain(int socket, Sink sink) {
    for (int i = 0; i < BUDGET; i++) {
      incoming.clear();
      InetSocketAddress source;
      try {
        source = (InetSocketAddress) channels[socket].receive(incoming);
      } catch (IOException _) {
        return; // an ICMP error about something sent: UDP goes on
      }
      if (source == null) {
        return;
      }
      incoming.flip();
      @Nullable SkBuff packet = sink.room(incoming.remaining());
      if (packet != null) {
        incoming.get(packet.bytes, packet.head, packet.length);
        sink.arrived(packet, socket, SocketAddresses.value(source.getAddress()), source.getPort());
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
  }

  private void closeAll() {
    for (DatagramChannel channel : channels) {
      try {
        if (channel != null) {
          channel.close();
        }
      } catch (IOException _) {
        // Nothing is left to be done about a socket that cannot be closed.
      }
    }
    try {
      selector.close();
    } catch (IOException _) {
      // As above.
    }
  }
}
