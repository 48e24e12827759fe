package dev.paramecium.agent.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.DatapathOptions.Masquerade;
import dev.paramecium.syscall.DatapathOptions.Mode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AgentOptionsTest {

  private static final Ipv4Prefix PODS = Ipv4Prefix.parse("10.42.1.0/24");

  private static AgentOptions of(String... pairs) {
    Map<String, String> given = new HashMap<>();
    for (String pair : pairs) {
      int equals = pair.indexOf('=');
      given.put(pair.substring(0, equals), pair.substring(equals + 1));
    }
    return AgentOptions.of(given);
  }

  private static void assertRefused(String message, String... pairs) {
    assertThatThrownBy(() -> of(pairs))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void compilesTheDefaultsOfHelmIntoTheDatapath() {
    assertThat(AgentOptions.defaults().datapath(PODS)).isEqualTo(DatapathOptions.defaults(PODS));
    assertThat(AgentOptions.defaults().monitorAggregation()).isEqualTo(3);
  }

  @Test
  void turnsEverythingOnWithoutKubeProxy() {
    for (String mode : List.of("strict", "probe")) {
      AgentOptions options = of("kube-proxy-replacement=" + mode, "enable-node-port=false");
      assertThat(options.isOn("enable-node-port")).isTrue();
      assertThat(options.isOn("enable-session-affinity")).isTrue();
      assertThat(options.datapath(PODS).nodePort()).isEqualTo(DatapathOptions.NodePort.DEFAULT);
    }
  }

  @Test
  void turnsEverythingOffBesideKubeProxyAndTakesPartialAtItsWord() {
    assertThat(of("enable-node-port=true").datapath(PODS).nodePort()).isNull();
    AgentOptions partial =
        of("kube-proxy-replacement=partial", "enable-node-port=True", "bpf-lb-algorithm=maglev");
    DatapathOptions.NodePort nodePort = partial.datapath(PODS).nodePort();
    assertThat(nodePort).isNotNull();
    assertThat(nodePort.maglevTableSize()).isEqualTo(16381);
    assertThat(nodePort.connectionSeed()).isEqualTo(0x71dcda46);
    assertThat(partial.isOn("enable-session-affinity")).isFalse();
  }

  @Test
  void returnsDirectlyOnlyWithoutATunnel() {
    String[] strict = {"kube-proxy-replacement=strict", "bpf-lb-mode=dsr"};
    assertThat(of(strict).datapath(PODS).nodePort()).extracting("mode").isEqualTo(Mode.SNAT);
    assertThat(
            of(
                    "kube-proxy-replacement=strict",
                    "bpf-lb-mode=dsr",
                    "tunnel=disabled",
                    "ipv4-native-routing-cidr=10.42.0.0/16")
                .datapath(PODS))
        .matches(o -> !o.tunnel() && o.snatExclusion().toString().equals("10.42.0.0/16"))
        .extracting("nodePort.mode")
        .isEqualTo(Mode.DSR);
  }

  @Test
  void leavesMasqueradingToWhoeverIsToDoIt() {
    assertThat(of("enable-ipv4-masquerade=false").datapath(PODS).masquerade())
        .isEqualTo(Masquerade.NOBODY);
    assertThat(
            of("kube-proxy-replacement=strict", "enable-bpf-masquerade=true")
                .datapath(PODS)
                .masquerade())
        .isEqualTo(Masquerade.BPF);
  }

  @Test
  void runsXdpForThePrefilterForNodePortOrNotAtAll() {
    assertThat(of().datapath(PODS).xdp().isOn()).isFalse();
    assertThat(of("enable-xdp-prefilter=true").datapath(PODS).xdp())
        .isEqualTo(new DatapathOptions.Xdp(true, false, false));
    assertThat(of("bpf-lb-acceleration=native").datapath(PODS).xdp().isOn())
        .as("there is no NodePort to accelerate")
        .isFalse();
    assertThat(
            of(
                    "kube-proxy-replacement=strict",
                    "bpf-lb-acceleration=testing-only",
                    "tunnel=disabled",
                    "ipv4-native-routing-cidr=10.42.0.0/16")
                .datapath(PODS)
                .xdp())
        .isEqualTo(new DatapathOptions.Xdp(false, true, true));
  }

  @Test
  void refusesWhatIsUnknownWrongOrContradictory() {
    assertRefused("option \"tunel\" is not known: use one of tunnel,", "tunel=vxlan");
    assertRefused(
        "option \"prefilter-device\" was removed in v1.12: use enable-xdp-prefilter",
        "prefilter-device=eth0");
    assertRefused("option tunnel is \"gre\": it must be one of vxlan, disabled", "tunnel=gre");
    assertRefused("it must be one of [251, 509", "bpf-lb-maglev-table-size=1000");
    assertRefused("it must be two ports", "node-port-range=32767,30000");
    assertRefused("it must be two ports below 65534", "node-port-range=30000,65534");
    assertRefused("it must be twelve bytes in base64", "bpf-lb-maglev-hash-seed=short");
    assertRefused("cannot be used with tunneling", "auto-direct-node-routes=true");
    assertRefused("native routing cidr must be configured", "tunnel=disabled");
    assertRefused("BPF masquerade requires NodePort", "enable-bpf-masquerade=true");
    assertRefused("BPF ip-masq-agent requires", "enable-ip-masq-agent=true");
    assertRefused(
        "Cannot use NodePort acceleration with tunneling",
        "kube-proxy-replacement=strict",
        "bpf-lb-acceleration=native");
  }
}
