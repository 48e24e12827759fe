package dev.paramecium.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.deploy.UserError;
import dev.paramecium.world.HostSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorldTest {

  @TempDir private Path folder;

  private Topology read(String world) throws IOException {
    return Topology.read(
        Files.writeString(
            folder.resolve("cluster.yaml"),
            """
            apiVersion: paramecium.dev/v1alpha1
            kind: Cluster
            spec:
              nodes: [{}, {}]
              options: {load-balancer-ipv4-pool: 172.18.255.0/24}
              world: %s
            """
                .formatted(world)));
  }

  private void refuses(String world, String... said) {
    assertThatThrownBy(() -> read(world))
        .isInstanceOf(UserError.class)
        .message()
        .contains(said)
        .endsWith(".")
        .doesNotContain("\n");
  }

  private static String host(String fields) {
    return "{hosts: [{" + fields + "}]}";
  }

  @Test
  void readsHostsWithWhatTheyServe() throws IOException {
    World world =
        read("""
        {hosts: [
            {name: example.com, address: 203.0.113.10, listeners: {80: httpbin, 7/udp: echo}},
            {name: client, address: 198.51.100.7}]}
        """)
            .world();
    assertThat(world).isNotNull();
    assertThat(world.gateway()).hasToString("127.0.0.254");
    assertThat(world.hosts())
        .extracting(HostSpec::toString)
        .containsExactly(
            "example.com=203.0.113.10,80/tcp:httpbin,7/udp:echo", "client=198.51.100.7");
    assertThat(read("{gateway: 127.0.0.9, hosts: [{name: a, address: 9.9.9.9}]}").world().gateway())
        .hasToString("127.0.0.9");
  }

  @Test
  void aCommandLineHasTheSameHost() {
    for (String text : new String[] {"a=1.2.3.4", "b.c-d.e=1.2.3.4,80/tcp:httpbin,80/udp:echo"}) {
      assertThat(HostSpec.parse(text)).hasToString(text);
      assertThat(HostSpec.parse(HostSpec.parse(text).toString())).isEqualTo(HostSpec.parse(text));
    }
    for (String text : new String[] {"a", "a=", "a=1.2.3.4,80", "a=1.2.3.4,:echo", "=1.2.3.4"}) {
      assertThatThrownBy(() -> HostSpec.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void namesTheFieldTheValueAndTheFixOfAMistake() {
    refuses("5", "spec.world must be a mapping");
    refuses("{}", "spec.world.hosts must be a list of hosts");
    refuses("{hosts: []}", "0 hosts");
    refuses("{router: 1}", "spec.world.router is not a field: use gateway, hosts");
    refuses(host("name: a"), "spec.world.hosts[0] needs a name and an address");
    refuses(host("name: a, address: 1.2.3.4, port: 5"), "spec.world.hosts[0].port is not a field");
    refuses(host("name: A_b, address: 1.2.3.4"), "host name \"A_b\"");
    refuses(host("name: gateway, address: 1.2.3.4"), "\"gateway\" is the router's own");
    refuses(host("name: a, address: 1.2.3"), "1.2.3");
    refuses(host("name: a, address: 1.2.3.4, listeners: [80]"), "listeners must be a mapping");
    refuses(host("name: a, address: 1.2.3.4, listeners: {0: echo}"), "port 0 is out of range");
    refuses(
        host("name: a, address: 1.2.3.4, listeners: {80: nginx}"), "\"nginx\"", "httpbin or echo");
    refuses(host("name: a, address: 1.2.3.4, listeners: {80/udp: httpbin}"), "80/udp", "use echo");
    refuses(
        host("name: a, address: 1.2.3.4, listeners: {80/sctp: echo}"), "\"sctp\"", "tcp or udp");
    refuses(
        host("name: a, address: 1.2.3.4, listeners: {80: echo, 80/tcp: echo}"),
        "80/tcp is there twice");
    refuses(
        "{hosts: [{name: a, address: 1.2.3.4}, {name: b, address: 1.2.3.4}]}",
        "host b (1.2.3.4) repeats");
  }

  @Test
  void refusesAddressesThatTheClusterHas() {
    refuses(host("name: a, address: 10.42.7.1"), "host a", "10.42.7.1", "10.42.0.0/16 of the pods");
    refuses(host("name: a, address: 10.96.0.1"), "cluster addresses");
    refuses(host("name: a, address: 172.18.255.9"), "172.18.255.0/24");
    refuses(host("name: a, address: 127.0.0.77"), "127.0.0.0/24 of the nodes");
    refuses(host("name: a, address: 127.3.0.1"), "loopback");
    refuses(host("name: a, address: 239.1.1.1"), "multicast");
    refuses("{gateway: 127.0.0.2, hosts: [{name: a, address: 1.2.3.4}]}", "127.0.0.2", "node-1");
    refuses(
        "{gateway: 127.0.1.2, hosts: [{name: a, address: 1.2.3.4}]}", "127.0.1.2", "127.0.0.0/24");
  }
}
