package dev.paramecium.container.proxy;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.SocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of the proxy's access log (Cilium {@code pkg/proxy/accesslog/record.go}).
 *
 * @param epochMs when
 * @param ingress whether the request was on its way into an endpoint of this node
 * @param source who asked, whatever the type
 * @param http null if it is about another protocol
 * @param dns null if it is about another protocol
 */
public record LogRecord(
    long epochMs,
    Type type,
    Verdict verdict,
    boolean ingress,
    Peer source,
    Peer destination,
    @Nullable Http http,
    @Nullable Dns dns) {

  /** Which of the two messages. */
  public enum Type {
    REQUEST,
    RESPONSE
  }

  /** What became of it. */
  public enum Verdict {
    FORWARDED("Forwarded"),
    DENIED("Denied"),
    ERROR("Error");

    private final String text;

    Verdict(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * One of the two sides.
   *
   * @param endpointId 0 if it is no endpoint of this node
   */
  public record Peer(SocketAddress address, int endpointId, int identity) {}

  /**
   * An HTTP message.
   *
   * @param url with scheme and host
   * @param code 0 for a request that is forwarded
   * @param protocol {@code HTTP/1.1}
   */
  public record Http(int code, String method, String url, String protocol) {}

  /**
   * A DNS message.
   *
   * @param query the qualified name
   * @param type {@code A}
   * @param ttl in seconds, the smallest of the answer
   */
  public record Dns(
      String query,
      String type,
      int responseCode,
      List<Ipv4Address> addresses,
      long ttl,
      List<String> canonicalNames) {

    public Dns {
      addresses = List.copyOf(addresses);
      canonicalNames = List.copyOf(canonicalNames);
    }
  }

  /** {@code http} or {@code dns}. */
  public String protocol() {
    return dns != null ? "dns" : "http";
  }
}
