package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Sock;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketHooks.MappedSocket;
import org.jspecify.annotations.Nullable;

/**
 * A connection's place in a sock map, while it has one: what it sends may go straight into its
 * peer's receive queue ({@code tcp_bpf_sendmsg}).
 *
 * <pre>
 *   write --sk_msg--&gt; redirected: once all segments are acknowledged --&gt; the peer's IngressQueue
 *               `---&gt; segments:   once the peer has read what was redirected --&gt; TcpSender
 * </pre>
 *
 * The two ways have no order between them, so the stream changes from one to the other only when
 * the one is empty: until then a write takes nothing, as if the buffer were full. FIN and RST are
 * segments always; they leave after what was redirected was put into the queue, and the receiver
 * reads the queue before it heeds a segment.
 */
final class MappedConnection {

  private final TcpSocket socket;
  private final Context context;
  private @Nullable MappedSocket entry;

  /** Where the last redirected bytes went, until they are known to be read. */
  private @Nullable Sock lastPeer;

  /** A write waits for the acknowledgement of segments. */
  private boolean awaitsFlight;

  MappedConnection(TcpSocket socket, Context context) {
    this.socket = socket;
    this.context = context;
  }

  /** BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB and BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB. */
  void enter() {
    if (context.hooks.wantsEstablished()) {
      SocketAddress peer =
          new SocketAddress(new Ipv4Address(socket.remoteAddress), socket.remotePort);
      entry = context.hooks.established(socket.local(), peer, socket.receiver.openIngress());
    }
  }

  /**
   * Takes bytes from the process.
   *
   * @return how many; -1 if they shall become segments
   */
  int write(byte[] bytes, int from, int count) {
    MappedSocket known = entry;
    if (known == null || count == 0) {
      return -1;
    }
    Sock peer = known.redirect(count);
    if (peer != null) {
      if (!socket.sender.isIdle()) {
        awaitsFlight = true;
        return 0;
      }
      int taken = peer.ingress(bytes, from, count, this::roomElsewhere);
      if (taken >= 0) {
        lastPeer = peer;
        context.count(Counter.SK_MSG_REDIRECTED, taken);
        return taken;
      }
    }
    Sock last = lastPeer;
    if (last != null && !last.isDrained(this::roomElsewhere)) {
      return 0;
    }
    lastPeer = null;
    return -1;
  }

  /** The peer's thread has made room. */
  private void roomElsewhere() {
    context.executor.execute(
        () -> {
          context.tick();
          if (socket.state().canSend()) {
            socket.handler().writable(socket);
          }
        });
  }

  /** Whether a write waits for what is now acknowledged; says so once. */
  boolean takeLanded() {
    boolean landed = awaitsFlight && socket.sender.isIdle();
    awaitsFlight &= !landed;
    return landed;
  }

  /** The socket is closed. */
  void leave() {
    MappedSocket known = entry;
    if (known != null) {
      entry = null;
      known.closed();
    }
  }
}
