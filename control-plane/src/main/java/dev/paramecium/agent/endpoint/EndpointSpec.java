package dev.paramecium.agent.endpoint;

import dev.paramecium.abi.Ipv4Address;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What an endpoint is, for all of its life.
 *
 * @param id 1 to 65535, unique on the node
 * @param pod null for the health endpoint
 * @param netns the namespace that holds {@code peerName}
 * @param ifname the host side of the veth pair
 * @param peerName the side in {@code netns}
 * @param address its only one
 * @param gateway the node's router IP
 * @param mtu of both devices
 * @param routeMtu of the routes in {@code netns}: the tunnel's header must still fit
 * @param nodeIp where other nodes send what is for this endpoint
 */
public record EndpointSpec(
    int id,
    @Nullable PodRef pod,
    String netns,
    String ifname,
    String peerName,
    Ipv4Address address,
    Ipv4Address gateway,
    int mtu,
    int routeMtu,
    Ipv4Address nodeIp) {

  /** Which pod; a pod that was deleted and made again has another {@code uid}. */
  public record PodRef(String namespace, String name, String uid) {

    /** {@code namespace/name}. */
    @Override
    public String toString() {
      return namespace + "/" + name;
    }
  }

  /** The health endpoint's host device. */
  public static final String HEALTH_IFNAME = "lxc_health";

  /** {@code lxc} and the first 12 hex digits of the SHA-256 of the endpoint's id as text. */
  public static String lxcName(int endpointId) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(Integer.toString(endpointId).getBytes(StandardCharsets.US_ASCII));
      return "lxc" + HexFormat.of().formatHex(hash, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** {@code namespace/name}, or {@code health}: who owns the address. */
  public String owner() {
    return pod == null ? "health" : pod.toString();
  }
}
