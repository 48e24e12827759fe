package dev.paramecium.deploy.command;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.ApiSecurity;
import dev.paramecium.deploy.cluster.ClusterFile;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which cluster a command talks to. */
final class ClusterOptions {

  @Option(
      names = {"-s", "--server"},
      paramLabel = "URL",
      description =
          "the API server; default: PARAMECIUM_SERVER, else the cluster that 'up' started")
  private @Nullable String server;

  /** Where the state of a cluster started from here lives. */
  static Path home() {
    String home = System.getenv("PARAMECIUM_HOME");
    return home == null || home.isEmpty()
        ? Path.of(System.getProperty("user.home"), ".paramecium")
        : Path.of(home);
  }

  /**
   * A client for the chosen cluster.
   *
   * @throws UserError with exit code 3 if none is named and none was started
   */
  ApiHttp api() {
    if (server != null) {
      return ApiSecurity.client(withoutSlash(server), home());
    }
    String environment = System.getenv("PARAMECIUM_SERVER");
    if (environment != null && !environment.isEmpty()) {
      return ApiSecurity.client(withoutSlash(environment), home());
    }
    return ClusterFile.read(home())
        .map(cluster -> ApiSecurity.client(cluster.apiServer(), home()))
        .orElseThrow(
            () ->
                new UserError(
                    UserError.NO_CLUSTER,
                    "no cluster: none was started under "
                        + home()
                        + ". Start one with 'paramecium up'."));
  }

  private static String withoutSlash(String url) {
    if (!url.startsWith("http://") && !url.startsWith("https://")) {
      throw new UserError(
          UserError.USAGE,
          "\"" + url + "\" is not a server: write a URL such as http://127.0.0.1:6443.");
    }
    return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
  }
}
