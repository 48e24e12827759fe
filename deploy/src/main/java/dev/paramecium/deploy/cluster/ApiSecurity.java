package dev.paramecium.deploy.cluster;

import dev.paramecium.apiserver.access.Pki;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * How the API server is reached: plain HTTP on loopback, or HTTPS with certificates of a folder.
 *
 * @param rbac whether roles decide who may do what; only with {@code tls}
 */
public record ApiSecurity(boolean tls, boolean rbac) {

  public static final ApiSecurity NONE = new ApiSecurity(false, false);

  public ApiSecurity {
    if (rbac && !tls) {
      throw new UserError(
          UserError.USAGE,
          "--rbac needs --tls: without TLS nobody shows who they are, so that roles decide"
              + " nothing.");
    }
  }

  /** Where the certificates of a cluster are that was started under {@code home}. */
  public static Path pki(Path home) {
    return home.resolve("pki");
  }

  /**
   * The certificates under {@code home}, which are made if they are not there.
   *
   * @param address where the API server listens
   */
  public static Pki open(Path home, String address) {
    return read(() -> Pki.open(pki(home), names(address), InstantSource.system()));
  }

  /** A client's: nothing is asked of the server's own. */
  private static Pki open(Path home) {
    return read(() -> Pki.open(pki(home), Set.of(), InstantSource.system()));
  }

  private interface Reading<T> {
    T get() throws IOException;
  }

  private static <T> T read(Reading<T> reading) {
    try {
      return reading.get();
    } catch (IOException e) {
      throw new UserError(UserError.FAILED, String.valueOf(e.getMessage()));
    }
  }

  /**
   * A client of a cluster that was started under {@code home}: to an HTTPS server it speaks as the
   * administrator whose certificate is there.
   */
  public static ApiHttp client(String server, Path home) {
    return server.startsWith("https:") && Files.isDirectory(pki(home))
        ? new ApiHttp(server, read(() -> open(home).forAdministrator()))
        : new ApiHttp(server);
  }

  /** What clients may call the server: its address, or all that this machine has. */
  private static Set<String> names(String address) throws IOException {
    if (!InetAddress.getByName(address).isAnyLocalAddress()) {
      return Set.of(address);
    }
    Set<String> names = new TreeSet<>(Set.of(InetAddress.getLocalHost().getHostName()));
    NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(Inet4Address.class::isInstance)
        .forEach(own -> names.add(own.getHostAddress()));
    return names;
  }

  String scheme() {
    return tls ? "https" : "http";
  }

  List<String> toArguments() {
    List<String> arguments = new ArrayList<>();
    if (tls) {
      arguments.add("--tls");
    }
    if (rbac) {
      arguments.add("--rbac");
    }
    return arguments;
  }

  /** What {@code kubectl} reads: the server, its authority, and the administrator's certificate. */
  public static String kubeconfig(Path home, String apiServer, String clusterName) {
    String name = "paramecium-" + clusterName;
    String authority = "";
    String user = " {}";
    if (apiServer.startsWith("https:")) {
      Pki pki = open(home);
      authority = "\n    certificate-authority-data: " + read(() -> pki.data("ca.crt"));
      user =
          "\n    client-certificate-data: "
              + read(() -> pki.data("admin.crt"))
              + "\n    client-key-data: "
              + read(() -> pki.data("admin.key"));
    }
    return """
    apiVersion: v1
    kind: Config
    clusters:
    - name: %1$s
      cluster:
        server: %2$s%3$s
    contexts:
    - name: %1$s
      context:
        cluster: %1$s
        user: %1$s
        namespace: default
    current-context: %1$s
    users:
    - name: %1$s
      user:%4$s
    """
        .formatted(name, apiServer, authority, user);
  }
}
