package dev.paramecium.container.image;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.coreutils.Coreutils;
import dev.paramecium.container.process.coreutils.Tar;
import dev.paramecium.container.process.curl.Curl;
import dev.paramecium.container.process.curl.Wget;
import dev.paramecium.container.process.dns.CoreDns;
import dev.paramecium.container.process.net.Netcat;
import dev.paramecium.container.process.net.Netstat;
import dev.paramecium.container.process.net.Nslookup;
import dev.paramecium.container.process.net.Ping;
import dev.paramecium.container.process.net.Ss;
import dev.paramecium.container.process.net.Traceroute;
import dev.paramecium.container.process.server.Agnhost;
import dev.paramecium.container.process.server.CiliumAgentView;
import dev.paramecium.container.process.server.CiliumOperator;
import dev.paramecium.container.process.server.EchoServer;
import dev.paramecium.container.process.server.HealthResponder;
import dev.paramecium.container.process.server.Httpbin;
import dev.paramecium.container.process.server.HubbleRelay;
import dev.paramecium.container.process.server.Nginx;
import dev.paramecium.container.process.server.Pause;
import dev.paramecium.container.process.server.StandIn;
import dev.paramecium.container.process.shell.Shell;
import dev.paramecium.container.process.shell.TestExpression;
import dev.paramecium.syscall.ContainerSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The images by name. Registry, tag and digest do not matter. */
public final class Images {

  private static final String STAND_IN = "paramecium-stand-in";

  /** What every image but those from scratch has. */
  private static final Map<String, Executable> TOOLS = allTools();

  private Images() {}

  /**
   * The tools by name: {@code curl ping nc wget sh sleep …}; a node's own namespace has them, too.
   */
  public static Map<String, Executable> tools() {
    return TOOLS;
  }

  private static Map<String, Executable> allTools() {
    Map<String, Executable> tools = new HashMap<>(Coreutils.programs());
    tools.put("curl", Curl::start);
    tools.put("wget", Wget::start);
    tools.put("sh", Shell::start);
    tools.put("bash", Shell::start);
    tools.put("ash", Shell::start);
    tools.put("test", Executable.immediate(TestExpression::program));
    tools.put("[", Executable.immediate(TestExpression::program));
    tools.put("tar", Tar::start);
    tools.put("ping", Ping::start);
    tools.put("nc", Netcat::start);
    tools.put("nslookup", Nslookup::start);
    tools.put("netstat", Executable.immediate(Netstat::run));
    tools.put("ss", Executable.immediate(Ss::run));
    tools.put("traceroute", Traceroute::start);
    return Map.copyOf(tools);
  }

  /** The image that a container asks for; an unknown one gets a stand-in, which its note says. */
  public static Image find(ContainerSpec spec) {
    return switch (repository(spec.image())) {
      case "curlimages/curl", "curl" -> image(List.of("curl"), List.of(), Map.of());
      case "kennethreitz/httpbin", "httpbin" ->
          image(
              List.of(),
              List.of("gunicorn", "-b", "0.0.0.0:80", "httpbin:app", "-k", "gevent"),
              Map.of("gunicorn", Httpbin::start));
      case "nginx" ->
          image(List.of(), List.of("nginx", "-g", "daemon off;"), Map.of("nginx", Nginx::start));
      case "busybox", "alpine" -> image(List.of(), List.of("sh"), Map.of());
      case "ubuntu", "debian", "nicolaka/netshoot" -> image(List.of(), List.of("bash"), Map.of());
      case "agnhost" ->
          image(List.of("/agnhost"), List.of("pause"), Map.of("agnhost", Agnhost::start));
      case "coredns", "coredns/coredns" -> bare("coredns", List.of(), CoreDns::start);
      case "cilium/cilium" ->
          image(
              List.of(),
              List.of(CiliumAgentView.NAME),
              Map.of(
                  CiliumAgentView.NAME,
                  CiliumAgentView::start,
                  HealthResponder.NAME,
                  HealthResponder::start));
      case "cilium/operator-generic" -> bare(CiliumOperator.NAME, List.of(), CiliumOperator::start);
      case "cilium/hubble-relay" -> bare(HubbleRelay.NAME, List.of("serve"), HubbleRelay::start);
      case "paramecium/echo" ->
          image(
              List.of(EchoServer.NAME),
              List.of("7/tcp"),
              Map.of(EchoServer.NAME, EchoServer::start));
      case "pause" -> bare("pause", List.of(), Pause::start);
      default -> standIn(spec);
    };
  }

  private static Image image(
      List<String> entrypoint, List<String> arguments, Map<String, Executable> own) {
    Map<String, Executable> programs = new HashMap<>(TOOLS);
    programs.putAll(own);
    return new Image(entrypoint, arguments, programs, Map.of(), false, "");
  }

  /** An image from scratch: one program, and nothing beside it. */
  private static Image bare(String program, List<String> arguments, Executable start) {
    return new Image(List.of("/" + program), arguments, Map.of(program, start), Map.of(), true, "");
  }

  private static Image standIn(ContainerSpec spec) {
    String ports =
        spec.ports().stream()
            .map(port -> port.number() + "/" + port.protocol())
            .collect(Collectors.joining(", "));
    String note =
        "image "
            + spec.image()
            + " is not known here: a stand-in answers on "
            + (ports.isEmpty() ? "no port, because none is declared" : ports);
    Map<String, Executable> programs = new HashMap<>(TOOLS);
    Executable server = StandIn.of(spec);
    programs.put(STAND_IN, server);
    if (!spec.command().isEmpty()) {
      // What the real image would have under this name cannot be known.
      programs.putIfAbsent(Image.baseName(spec.command().getFirst()), server);
    }
    return new Image(List.of(STAND_IN), List.of(), programs, Map.of(), false, note);
  }

  /**
   * The name that counts: {@code docker.io/library/nginx:1.25@sha256:…} is {@code nginx}, {@code
   * quay.io/x/curlimages/curl} is {@code curlimages/curl}.
   */
  static String repository(String image) {
    String name = image.split("@", 2)[0];
    int colon = name.lastIndexOf(':');
    if (colon > name.lastIndexOf('/')) {
      name = name.substring(0, colon);
    }
    int last = name.lastIndexOf('/');
    if (last < 0) {
      return name;
    }
    int before = name.lastIndexOf('/', last - 1);
    String owner = name.substring(before + 1, last);
    // What has a dot or a port is a registry, not a part of the name.
    boolean plain =
        owner.equals("library") || owner.equals("e2e-test-images") || owner.matches(".*[.:].*");
    return plain ? name.substring(last + 1) : owner + name.substring(last);
  }
}
