package dev.paramecium.apiserver.rest;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.apiserver.Kinds;
import dev.paramecium.apiserver.access.Access;
import dev.paramecium.metrics.MetricsServer;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;

/** The HTTP and HTTPS listener. Without TLS it binds to loopback addresses only. */
public final class RestServer implements AutoCloseable {

  /**
   * etcd's limit on a request, which is Kubernetes' too, is 1.5 MiB; the API server itself takes 3
   * MiB.
   */
  private static final int MAX_BODY = 3 * 1024 * 1024;

  private static final int MAX_REQUEST_LINE = 16 * 1024;
  private static final int MAX_HEADERS = 32 * 1024;

  /** How long a client may take to send a whole request, and how long a connection may be idle. */
  static final int REQUEST_SECONDS = 30;

  private final EventLoopGroup group;
  private final Channel channel;

  private RestServer(EventLoopGroup group, Channel channel) {
    this.group = group;
    this.channel = channel;
  }

  /** What the handlers need. */
  record Services(
      ActorSystem<?> system,
      ApiClient api,
      ActorRef<ApiRequest> server,
      Kinds kinds,
      Discovery discovery,
      OpenApiDocuments documents,
      Continuations continuations,
      EncodedObjects encoded,
      InstantSource clock,
      Access access,
      ActorRef<MetricsServer.Command> metrics,
      List<RestExtension> extensions) {}

  /** Listens with plain HTTP on loopback: whoever reaches it may do everything. */
  public static RestServer start(
      ActorSystem<?> system,
      ApiClient api,
      ActorRef<ApiRequest> server,
      InstantSource clock,
      List<RestExtension> extensions,
      String address,
      int port)
      throws BindFailure {
    return start(system, api, server, clock, Access.open(), extensions, address, port);
  }

  /**
   * Listens.
   *
   * @param access whether with TLS, and who may do what
   * @param port 0 for any free one
   * @throws BindFailure if the address cannot be bound, or is not loopback although there is no TLS
   */
  public static RestServer start(
      ActorSystem<?> system,
      ApiClient api,
      ActorRef<ApiRequest> server,
      InstantSource clock,
      Access access,
      List<RestExtension> extensions,
      String address,
      int port)
      throws BindFailure {
    SslContext tls = access.tls();
    InetAddress bound = address(address, tls != null);
    Kinds kinds = Kinds.standard();
    var _ =
        system.systemActorOf(
            DefinedKinds.create(api, kinds), "defined-kinds-" + UUID.randomUUID(), Props.empty());
    Services services =
        new Services(
            system,
            api,
            server,
            kinds,
            new Discovery(kinds),
            new OpenApiDocuments(kinds),
            new Continuations(),
            new EncodedObjects(),
            clock,
            access,
            system.systemActorOf(
                MetricsServer.create(clock), "metrics-" + UUID.randomUUID(), Props.empty()),
            List.copyOf(extensions));
    EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel client) {
                    if (tls != null) {
                      client.pipeline().addLast("tls", tls.newHandler(client.alloc()));
                    }
                    client
                        .pipeline()
                        .addLast("deadline", new RequestDeadline(REQUEST_SECONDS))
                        .addLast(
                            "codec",
                            new HttpServerCodec(
                                new HttpDecoderConfig()
                                    .setMaxInitialLineLength(MAX_REQUEST_LINE)
                                    .setMaxHeaderSize(MAX_HEADERS)))
                        .addLast("timeout", new ReadTimeoutHandler(REQUEST_SECONDS))
                        .addLast("keepAlive", new HttpServerKeepAliveHandler())
                        .addLast("body", new HttpObjectAggregator(MAX_BODY, true))
                        .addLast("rest", new RestHandler(services));
                  }
                });
    try {
      Channel channel = bootstrap.bind(new InetSocketAddress(bound, port)).sync().channel();
      return new RestServer(group, channel);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      var _ = group.shutdownGracefully();
      throw new BindFailure("interrupted while binding " + address + ":" + port);
    } catch (Exception e) {
      var _ = group.shutdownGracefully();
      throw new BindFailure(
          "TCP port "
              + port
              + " on "
              + address
              + ", which the API server needs, cannot be used ("
              + e.getMessage()
              + "). Stop what holds it, or choose another with --api-port.");
    }
  }

  private static InetAddress address(String address, boolean secured) throws BindFailure {
    try {
      InetAddress found = InetAddress.getByName(address);
      if (secured || found.isLoopbackAddress()) {
        return found;
      }
      throw new BindFailure(
          "the API server speaks plain HTTP and binds to loopback only: "
              + address
              + " is not a loopback address. Use 127.0.0.1, or --tls.");
    } catch (UnknownHostException e) {
      throw new BindFailure(
          "\"" + address + "\" is not an address that the API server can listen on.");
    }
  }

  /** Why the server does not listen, in a sentence for the person who started it. */
  public static final class BindFailure extends Exception {

    private static final long serialVersionUID = 1L;

    BindFailure(String message) {
      super(message);
    }
  }

  /** The port that it listens on. */
  public int port() {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  @Override
  public void close() {
    var _ = channel.close();
    var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
