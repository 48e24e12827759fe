package dev.paramecium.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Test;

class PodDnsTest {

  private static String resolvConf(String spec) {
    return PodDns.resolvConf(
        TestCluster.object(
            """
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"shop"},"spec":%s}
            """
                .formatted(spec)),
        List.of(Ipv4Address.parse("127.0.0.254")));
  }

  @Test
  void asksTheClusterFirst() {
    String expected =
        """
        search shop.svc.cluster.local svc.cluster.local cluster.local
        nameserver 10.96.0.10
        options ndots:5
        """;
    assertThat(resolvConf("{\"dnsPolicy\":\"ClusterFirst\"}")).isEqualTo(expected);
    assertThat(resolvConf("{\"dnsPolicy\":\"ClusterFirstWithHostNet\",\"hostNetwork\":true}"))
        .isEqualTo(expected);
  }

  @Test
  void asksWhomTheNodeAsks() {
    String expected = "nameserver 127.0.0.254\n";
    assertThat(resolvConf("{\"dnsPolicy\":\"Default\"}")).isEqualTo(expected);
    assertThat(resolvConf("{\"dnsPolicy\":\"ClusterFirst\",\"hostNetwork\":true}"))
        .isEqualTo(expected);
  }

  @Test
  void takesWhatThePodSays() {
    assertThat(
            resolvConf(
                """
                {"dnsPolicy":"None","dnsConfig":{"nameservers":["1.2.3.4"],"searches":["my.dns"],
                 "options":[{"name":"ndots","value":"2"},{"name":"edns0"}]}}
                """))
        .isEqualTo("search my.dns\nnameserver 1.2.3.4\noptions ndots:2 edns0\n");
    assertThat(
            resolvConf(
                """
                {"dnsPolicy":"ClusterFirst","dnsConfig":{"options":[{"name":"ndots","value":"2"}]}}
                """))
        .endsWith("options ndots:2\n");
  }
}
