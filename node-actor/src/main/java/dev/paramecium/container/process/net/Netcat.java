package dev.paramecium.container.process.net;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code nc}: stdin to the peer, the peer to stdout, over TCP or UDP (-u), connecting or listening
 * (-l). -z only connects, -v says so, -w gives up, -k listens on. Messages as OpenBSD's; at the end
 * of stdin the sending half is shut down, as BusyBox has it.
 */
public final class Netcat implements Process, TcpHandler, UdpHandler {

  private static final int CHUNK_LIMIT = 65536;

  private final ProcessContext context;
  private final boolean listen;
  private final boolean udp;
  private final boolean scan;
  private final boolean verbose;
  private final boolean keepListening;
  private final long waitMs;
  private final String host;
  private final int port;

  private @Nullable TcpConnection connection;
  private @Nullable TcpListener listener;
  private @Nullable UdpSocket socket;
  private @Nullable SocketAddress peer;
  private boolean connected;
  private boolean inputEnded;
  private final Deque<byte[]> output = new ArrayDeque<>();
  private int outputOffset;
  private Sockets.@Nullable Timer idle;

  private Netcat(ProcessContext context, Options options) throws Options.InvalidOptionException {
    this.context = context;
    this.listen = options.has('l');
    this.udp = options.has('u');
    this.scan = options.has('z');
    this.verbose = options.has('v');
    this.keepListening = options.has('k');
    this.waitMs = options.millis('w', 0);
    List<String> operands = options.operands();
    String portText = options.text('p', operands.isEmpty() ? "" : operands.getLast());
    if (!portText.matches("[0-9]{1,5}") || Integer.parseInt(portText) > 65535) {
      throw new Options.InvalidOptionException("port number invalid: " + portText);
    }
    this.port = Integer.parseInt(portText);
    this.host = listen || operands.size() < 2 ? "" : operands.getFirst();
    if (!listen && host.isEmpty()) {
      throw new Options.InvalidOptionException(
          "missing host or port: nc [-luzvk] [-w SEC] HOST PORT");
    }
  }

  public static Process start(ProcessContext context) {
    List<String> argv = context.argv();
    try {
      Netcat netcat =
          new Netcat(context, Options.parse(argv.subList(1, argv.size()), "luzvknN4w:p:q:"));
      netcat.begin();
      return netcat;
    } catch (Options.InvalidOptionException e) {
      context.printError("nc: " + e.getMessage() + "\n");
      context.exit(1);
      return _ -> {};
    }
  }

  private void begin() {
    if (!context.hasStdin()) {
      inputEnded = true;
    }
    if (listen) {
      listen();
    } else {
      new Resolver(context).resolve(host, this::resolved);
    }
  }

  private void fail(String message) {
    if (!scan || verbose) {
      context.printError("nc: " + message + "\n");
    }
    context.exit(1);
  }

  // ---- opening

  private void listen() {
    try {
      if (udp) {
        socket = context.sockets().bindUdp(Ipv4Address.ANY, port, this);
        context.readStdin();
      } else {
        listener = context.sockets().listen(Ipv4Address.ANY, port, 16, this::accept);
      }
      if (verbose) {
        context.printError((udp ? "Bound" : "Listening") + " on 0.0.0.0 " + port + "\n");
      }
    } catch (SocketException e) {
      fail(e.error().text());
    }
  }

  private TcpHandler accept(TcpConnection accepted) {
    if (connection != null) {
      accepted.abort();
      return this;
    }
    connection = accepted;
    peer = accepted.remote();
    if (verbose) {
      context.printError(
          "Connection received on "
              + accepted.remote().address()
              + " "
              + accepted.remote().port()
              + "\n");
    }
    if (!keepListening && listener != null) {
      listener.close();
    }
    opened();
    return this;
  }

  private void resolved(Resolver.Answer answer) {
    if (!(answer instanceof Resolver.Answer.Found found)) {
      fail("getaddrinfo for host \"" + host + "\" port " + port + ": Name does not resolve");
      return;
    }
    SocketAddress remote = new SocketAddress(found.addresses().getFirst(), port);
    peer = remote;
    try {
      if (udp) {
        socket = context.sockets().bindUdp(Ipv4Address.ANY, 0, this);
        openedUdp(remote);
      } else {
        connection = context.sockets().connect(remote, this);
        if (waitMs > 0) {
          idle = context.sockets().schedule(waitMs, this::connectTimedOut);
        }
      }
    } catch (SocketException e) {
      connectFailed(e.error());
    }
  }

  private void connectTimedOut() {
    fail("connect to " + host + " port " + port + " (tcp) timed out: Operation now in progress");
  }

  private void connectFailed(SocketError error) {
    fail(
        "connect to "
            + host
            + " port "
            + port
            + (udp ? " (udp)" : " (tcp)")
            + " failed: "
            + error.text());
  }

  /** A datagram that no one refuses counts as success, as far as UDP can tell. */
  private void openedUdp(SocketAddress remote) throws SocketException {
    if (!scan) {
      opened();
      return;
    }
    if (socket != null) {
      socket.send(remote, new byte[] {'X'});
    }
    context.sockets().schedule(waitMs > 0 ? waitMs : 1000, this::succeeded);
  }

  private void succeeded() {
    if (verbose) {
      context.printError(
          "Connection to "
              + host
              + " "
              + port
              + " port ["
              + (udp ? "udp" : "tcp")
              + "/*] succeeded!\n");
    }
    context.exit(0);
  }

  @Override
  public void connected(TcpConnection to) {
    if (scan) {
      succeeded();
      return;
    }
    if (verbose) {
      context.printError("Connection to " + host + " " + port + " port [tcp/*] succeeded!\n");
    }
    opened();
  }

  private void opened() {
    connected = true;
    touch();
    context.readStdin();
    if (inputEnded) {
      endOfInput();
    }
  }

  private void touch() {
    if (idle != null) {
      idle.cancel();
      idle = null;
    }
    if (waitMs > 0) {
      idle = context.sockets().schedule(waitMs, () -> context.exit(0));
    }
  }

  // ---- stdin to the peer

  @Override
  public void stdin(byte[] bytes) {
    if (udp) {
      SocketAddress to = peer;
      if (to != null && socket != null) {
        try {
          socket.send(to, bytes);
        } catch (SocketException e) {
          fail("write: " + e.error().text());
        }
      }
      return;
    }
    touch();
    output.add(bytes);
    flush();
  }

  private void flush() {
    TcpConnection to = connection;
    while (to != null) {
      byte[] next = output.peek();
      if (next == null) {
        break;
      }
      outputOffset += to.write(next, outputOffset, next.length - outputOffset);
      if (outputOffset < next.length) {
        context.pauseStdin();
        return;
      }
      output.poll();
      outputOffset = 0;
    }
    context.readStdin();
    if (inputEnded && output.isEmpty() && to != null && connected && context.hasStdin()) {
      to.shutdownWrite();
    }
  }

  @Override
  public void writable(TcpConnection to) {
    flush();
  }

  @Override
  public void stdinClosed() {
    inputEnded = true;
    if (connected) {
      endOfInput();
    }
  }

  private void endOfInput() {
    if (udp) {
      if (context.hasStdin() && waitMs == 0 && !listen) {
        context.exit(0);
      }
    } else {
      flush();
    }
  }

  // ---- the peer to stdout

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    touch();
    if (!context.stdout(Arrays.copyOfRange(bytes, offset, offset + count))) {
      from.pauseReading();
    }
  }

  @Override
  public void outputDrained() {
    if (connection != null) {
      connection.resumeReading();
    }
  }

  @Override
  public void datagram(UdpSocket from, SocketAddress sender, byte[] payload) {
    touch();
    if (listen && peer == null) {
      peer = sender;
      if (verbose) {
        context.printError(
            "Connection received on " + sender.address() + " " + sender.port() + "\n");
      }
    }
    context.stdout(payload.length <= CHUNK_LIMIT ? payload : Arrays.copyOf(payload, CHUNK_LIMIT));
  }

  // ---- the end

  @Override
  public void peerClosed(TcpConnection from) {
    ended(from);
  }

  private void ended(TcpConnection from) {
    if (!from.equals(connection)) {
      return;
    }
    from.close();
    if (keepListening && listen) {
      connection = null;
      connected = false;
      return;
    }
    context.exit(0);
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    if (!from.equals(connection)) {
      return;
    }
    if (!connected) {
      connectFailed(error);
    } else if (keepListening && listen) {
      connection = null;
      connected = false;
    } else {
      fail("read: " + error.text());
    }
  }

  @Override
  public void error(UdpSocket from, SocketAddress remote, SocketError error) {
    if (scan) {
      fail("connect to " + host + " port " + port + " (udp) failed: " + error.text());
    } else {
      fail("read: " + error.text());
    }
  }

  @Override
  public void signal(int number) {
    context.exit(Signals.exitCode(number));
  }
}
