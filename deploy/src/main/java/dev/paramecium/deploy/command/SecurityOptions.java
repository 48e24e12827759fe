package dev.paramecium.deploy.command;

import dev.paramecium.deploy.cluster.ApiSecurity;
import picocli.CommandLine.Option;

/** Who may reach the API server, and do what. */
final class SecurityOptions {

  @Option(
      names = "--tls",
      defaultValue = "${env:PARAMECIUM_TLS:-false}",
      description =
          "the API server speaks HTTPS and wants a certificate or a token; its authority and"
              + " certificates are made in pki under PARAMECIUM_HOME")
  private boolean tls;

  @Option(
      names = "--rbac",
      defaultValue = "${env:PARAMECIUM_RBAC:-false}",
      description = "with --tls: roles and their bindings decide who may do what")
  private boolean rbac;

  ApiSecurity security() {
    return new ApiSecurity(tls, rbac);
  }
}
