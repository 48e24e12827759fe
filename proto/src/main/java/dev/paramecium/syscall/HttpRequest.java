package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Address;
import java.util.List;

/**
 * An HTTP GET that the kubelet sends.
 *
 * @param scheme {@code http} or {@code https}
 * @param target path and query, with the leading slash
 * @param headers in order; a {@code Host} among them replaces the address
 * @param timeoutMs for all of it: connecting, redirects, the answer
 */
public record HttpRequest(
    String scheme,
    Ipv4Address address,
    int port,
    String target,
    List<Header> headers,
    long timeoutMs) {

  public HttpRequest {
    headers = List.copyOf(headers);
  }

  /** One field. */
  public record Header(String name, String value) {}
}
