package dev.paramecium.agent.option;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.service.Maglev;
import dev.paramecium.agent.service.ServiceOptions;
import dev.paramecium.policy.PolicyOptions;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.DatapathOptions.Masquerade;
import dev.paramecium.syscall.DatapathOptions.Mode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What an agent does, by the names of Cilium's ConfigMap: every option that it knows with the value
 * that counts, after kube-proxy-replacement had its say.
 *
 * @param values of all options, by name
 */
public record AgentOptions(Map<String, String> values) {

  private static final int MAX_NODE_PORT = 65_533;

  private static final String KPR = "kube-proxy-replacement";
  private static final int MAX_ENTRIES = 1 << 24;

  /** What kube-proxy-replacement turns on or off as a whole, unless it is partial. */
  private static final List<String> KUBE_PROXY_FEATURES =
      List.of(
          "enable-node-port",
          "enable-external-ips",
          "enable-host-port",
          "bpf-lb-sock",
          "enable-session-affinity");

  private static final Map<String, Option> KNOWN =
      List.of(
              // routing
              Option.oneOf("tunnel", "vxlan", "vxlan", "disabled"),
              Option.flag("auto-direct-node-routes", false),
              Option.prefix("ipv4-native-routing-cidr"),
              // masquerading
              Option.flag("enable-ipv4-masquerade", true),
              Option.flag("enable-bpf-masquerade", false),
              Option.flag("enable-ip-masq-agent", false),
              // services
              Option.oneOf(KPR, "disabled", "disabled", "partial", "strict", "probe"),
              Option.flag("enable-node-port", false),
              Option.flag("enable-external-ips", false),
              Option.flag("enable-host-port", false),
              Option.flag("enable-local-redirect-policy", false),
              Option.flag("bpf-lb-sock", false),
              Option.flag("bpf-lb-sock-hostns-only", false),
              Option.flag("node-port-bind-protection", true),
              Option.flag("sockops-enable", false),
              Option.flag("enable-session-affinity", false),
              Option.flag("enable-svc-source-range-check", true),
              Option.flag("bpf-lb-external-clusterip", false),
              Option.oneOf("bpf-lb-mode", "snat", "snat", "dsr", "hybrid"),
              Option.oneOf("bpf-lb-algorithm", "random", "random", "maglev"),
              Option.oneOf("bpf-lb-acceleration", "disabled", "disabled", "native", "testing-only"),
              Option.flag("enable-xdp-prefilter", false),
              Option.oneOf("bpf-lb-dsr-dispatch", "opt", "opt"),
              new Option(
                  "bpf-lb-maglev-table-size",
                  Integer.toString(Maglev.DEFAULT_TABLE_SIZE),
                  "one of " + Maglev.TABLE_SIZES,
                  value -> Maglev.TABLE_SIZES.stream().anyMatch(m -> m.toString().equals(value))),
              new Option(
                  "bpf-lb-maglev-hash-seed",
                  Maglev.DEFAULT_HASH_SEED,
                  "twelve bytes in base64, such as " + Maglev.DEFAULT_HASH_SEED,
                  AgentOptions::isHashSeed),
              new Option(
                  "node-port-range",
                  "30000,32767",
                  "two ports below 65534 with a comma between, the lower first, such as"
                      + " 30000,32767",
                  value -> ports(value) != null),
              Option.flag("enable-pmtu-discovery", false),
              // policy and events
              Option.oneOf("enable-policy", "default", "default", "always", "never"),
              Option.oneOf("allow-localhost", "auto", "auto", "always", "policy"),
              Option.flag("policy-audit-mode", false),
              Option.number("tofqdns-min-ttl", 3600, 0, 1 << 30),
              Option.oneOf("monitor-aggregation", "medium", "none", "low", "medium", "maximum"),
              // health
              Option.flag("enable-health-checking", true),
              Option.flag("enable-endpoint-health-checking", true),
              // maps
              Option.number("bpf-ct-global-tcp-max", 524_288, 1 << 10, MAX_ENTRIES),
              Option.number("bpf-ct-global-any-max", 262_144, 1 << 10, MAX_ENTRIES),
              Option.number("bpf-nat-global-max", 524_288, 1 << 10, MAX_ENTRIES),
              Option.number("bpf-policy-map-max", 16_384, 1 << 8, 1 << 16))
          .stream()
          .collect(Collectors.toMap(Option::name, o -> o, (one, _) -> one, LinkedHashMap::new));

  /** Names that older releases knew, with what took their place. */
  private static final Map<String, String> REMOVED =
      Map.of(
          "prefilter-device", "enable-xdp-prefilter",
          "prefilter-mode", "bpf-lb-acceleration",
          "native-routing-cidr", "ipv4-native-routing-cidr");

  public AgentOptions {
    values = Map.copyOf(values);
  }

  /** The names of all options. */
  public static Set<String> names() {
    return KNOWN.keySet();
  }

  /** v1.12.3 as Helm installs it. */
  public static AgentOptions defaults() {
    return of(Map.of());
  }

  /**
   * Reads options; those not given have their default.
   *
   * @throws IllegalArgumentException with a sentence that names the option, the value and what is
   *     allowed
   */
  public static AgentOptions of(Map<String, String> given) {
    Map<String, String> values = new TreeMap<>();
    KNOWN.values().forEach(option -> values.put(option.name(), option.byDefault()));
    given.forEach(
        (name, text) -> {
          Option option = KNOWN.get(name);
          String instead = REMOVED.get(name);
          if (instead != null) {
            throw new IllegalArgumentException(
                "option \"" + name + "\" was removed in v1.12: use " + instead);
          }
          if (option == null) {
            throw new IllegalArgumentException(
                "option \"" + name + "\" is not known: use one of " + String.join(", ", names()));
          }
          String value = option.normalised(text);
          if (!option.isValid().test(value)) {
            throw new IllegalArgumentException(
                "option " + name + " is \"" + text + "\": it must be " + option.allowed());
          }
          values.put(name, value);
        });
    replaceKubeProxy(values);
    requireAgreement(values);
    return new AgentOptions(values);
  }

  /** {@code initKubeProxyReplacementOptions}: on this kernel everything can be had. */
  private static void replaceKubeProxy(Map<String, String> values) {
    String mode = String.valueOf(values.get(KPR));
    if (!mode.equals("partial")) {
      String all = Boolean.toString(!mode.equals("disabled"));
      KUBE_PROXY_FEATURES.forEach(feature -> values.put(feature, all));
    }
    if (isOn(values, "enable-node-port") && isTunnel(values)) {
      // As v1.12.3, which warns of it: replies cannot go straight to the client then.
      values.put("bpf-lb-mode", "snat");
    }
  }

  private static boolean isOn(Map<String, String> values, String name) {
    return "true".equals(values.get(name));
  }

  private static boolean isTunnel(Map<String, String> values) {
    return !"disabled".equals(values.get("tunnel"));
  }

  /** Where Cilium refuses to start. */
  private static void requireAgreement(Map<String, String> values) {
    boolean nodePort = isOn(values, "enable-node-port");
    if (isTunnel(values)) {
      require(
          !isOn(values, "auto-direct-node-routes"),
          "auto-direct-node-routes cannot be used with tunneling: packets are routed through the"
              + " tunnel device. Set tunnel=disabled, or leave it out");
      require(
          !nodePort || "disabled".equals(values.get("bpf-lb-acceleration")),
          "Cannot use NodePort acceleration with tunneling: set bpf-lb-acceleration=disabled or"
              + " tunnel=disabled");
    } else {
      require(
          !isOn(values, "enable-ipv4-masquerade")
              || !"".equals(values.get("ipv4-native-routing-cidr")),
          "native routing cidr must be configured with option ipv4-native-routing-cidr in"
              + " combination with enable-ipv4-masquerade=true and tunnel=disabled");
    }
    boolean bpfMasquerade = isOn(values, "enable-bpf-masquerade");
    require(
        !bpfMasquerade || !isOn(values, "enable-ipv4-masquerade") || nodePort,
        "BPF masquerade requires NodePort: set enable-node-port=true with"
            + " kube-proxy-replacement=partial, or kube-proxy-replacement=strict");
    require(
        !isOn(values, "enable-ip-masq-agent")
            || bpfMasquerade && isOn(values, "enable-ipv4-masquerade"),
        "BPF ip-masq-agent requires enable-ipv4-masquerade=true and enable-bpf-masquerade=true");
  }

  private static void require(boolean agreed, String otherwise) {
    if (!agreed) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  private static boolean isHashSeed(String value) {
    try {
      return Maglev.of(Maglev.DEFAULT_TABLE_SIZE, value) != null;
    } catch (IllegalArgumentException notASeed) {
      return false;
    }
  }

  /** The lower and the upper port, or null for nonsense. */
  private static int @Nullable [] ports(String value) {
    if (!value.matches("\\d{1,5},\\d{1,5}")) {
      return null;
    }
    int comma = value.indexOf(',');
    int min = Integer.parseInt(value.substring(0, comma));
    int max = Integer.parseInt(value.substring(comma + 1));
    // NAT needs the ports above the range, two of them at least.
    return min >= 1 && min < max && max <= MAX_NODE_PORT ? new int[] {min, max} : null;
  }

  // ---- as the rest of the agent reads them

  private String text(String name) {
    return String.valueOf(values.get(name));
  }

  public boolean isOn(String name) {
    return isOn(values, name);
  }

  public int number(String name) {
    return Integer.parseInt(text(name));
  }

  public boolean tunnel() {
    return isTunnel(values);
  }

  /** {@code auto-direct-node-routes}: this node routes to the others' pods by itself. */
  public boolean autoDirectNodeRoutes() {
    return isOn("auto-direct-node-routes");
  }

  /** Whether the node has an endpoint that answers health probes. */
  public boolean healthEndpoint() {
    return isOn("enable-health-checking") && isOn("enable-endpoint-health-checking");
  }

  /** As {@code cilium status} prints it. */
  public String kubeProxyReplacement() {
    String mode = text(KPR);
    return Character.toUpperCase(mode.charAt(0)) + mode.substring(1);
  }

  /** The number that the datapath is compiled with. */
  public int monitorAggregation() {
    return switch (text("monitor-aggregation")) {
      case "none" -> 0;
      case "low" -> 1;
      case "medium" -> 3;
      default -> 4;
    };
  }

  private @Nullable Maglev maglev() {
    return text("bpf-lb-algorithm").equals("maglev") && isOn("enable-node-port")
        ? Maglev.of(number("bpf-lb-maglev-table-size"), text("bpf-lb-maglev-hash-seed"))
        : null;
  }

  public ServiceOptions services(String nodeName) {
    return new ServiceOptions(
        nodeName,
        maglev(),
        isOn("enable-session-affinity"),
        isOn("enable-svc-source-range-check"),
        isOn("bpf-lb-external-clusterip"));
  }

  /** {@code auto} lets the node in because this is Kubernetes. */
  public PolicyOptions policy(String clusterName) {
    return new PolicyOptions(
        PolicyOptions.Enforcement.valueOf(text("enable-policy").toUpperCase(Locale.ROOT)),
        !text("allow-localhost").equals("policy"),
        false,
        clusterName,
        Duration.ofSeconds(Integer.parseInt(text("tofqdns-min-ttl"))));
  }

  /**
   * @param podCidr of this node: what is excluded from masquerading unless a native routing CIDR is
   *     configured
   */
  public DatapathOptions datapath(Ipv4Prefix podCidr) {
    String native4 = text("ipv4-native-routing-cidr");
    return new DatapathOptions(
        tunnel(),
        isOn("policy-audit-mode"),
        isOn("enable-session-affinity"),
        isOn("enable-node-port") ? nodePort() : null,
        masquerade(),
        native4.isEmpty() ? podCidr : Ipv4Prefix.parse(native4),
        isOn("enable-ip-masq-agent"),
        sockets(),
        xdp());
  }

  private DatapathOptions.Sockets sockets() {
    boolean loadBalancing = isOn("bpf-lb-sock");
    return new DatapathOptions.Sockets(
        loadBalancing,
        loadBalancing && isOn("bpf-lb-sock-hostns-only"), // without the other, v1.12.3 only warns
        isOn("node-port-bind-protection"),
        isOn("sockops-enable"));
  }

  /** Acceleration without NodePort has nothing to do; the prefilter alone runs in the driver. */
  private DatapathOptions.Xdp xdp() {
    String acceleration = text("bpf-lb-acceleration");
    return new DatapathOptions.Xdp(
        isOn("enable-xdp-prefilter"),
        isOn("enable-node-port") && !acceleration.equals("disabled"),
        acceleration.equals("testing-only"));
  }

  private DatapathOptions.NodePort nodePort() {
    String range = text("node-port-range");
    int comma = range.indexOf(',');
    Maglev maglev = maglev();
    return new DatapathOptions.NodePort(
        Mode.valueOf(text("bpf-lb-mode").toUpperCase(Locale.ROOT)),
        Integer.parseInt(range.substring(0, comma)),
        Integer.parseInt(range.substring(comma + 1)),
        maglev == null ? 0 : maglev.tableSize(),
        maglev == null
            ? DatapathOptions.NodePort.DEFAULT.connectionSeed()
            : Maglev.connectionSeed(text("bpf-lb-maglev-hash-seed")),
        isOn("enable-pmtu-discovery"));
  }

  private Masquerade masquerade() {
    return !isOn("enable-ipv4-masquerade")
        ? Masquerade.NOBODY
        : isOn("enable-bpf-masquerade") ? Masquerade.BPF : Masquerade.IPTABLES;
  }
}
