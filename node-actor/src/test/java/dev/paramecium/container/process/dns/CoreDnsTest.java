package dev.paramecium.container.process.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Host;
import dev.paramecium.container.process.VirtualNetwork.Run;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client's tools against coredns, over a network of two hosts. */
class CoreDnsTest {

  private static final String ZONE =
      """
      cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 30
      cluster.local. 30 IN NS ns.dns.cluster.local.
      web.default.svc.cluster.local. 30 IN A 10.96.3.4
      4.3.96.10.in-addr.arpa. 30 IN PTR web.default.svc.cluster.local.
      _http._tcp.web.default.svc.cluster.local. 30 IN SRV 0 100 80 web.default.svc.cluster.local.
      db.default.svc.cluster.local. 30 IN A 10.42.0.5
      db.default.svc.cluster.local. 30 IN A 10.42.0.6
      db-0.db.default.svc.cluster.local. 30 IN A 10.42.0.5
      alias.default.svc.cluster.local. 30 IN CNAME web.default.svc.cluster.local.
      """;

  private final VirtualNetwork network = new VirtualNetwork();
  private final Host client = network.host("client", 1, "curlimages/curl");
  private final Host server = network.host("dns", 2, "coredns/coredns:1.8.6");

  @BeforeEach
  void start() {
    write(
        client,
        "/etc/resolv.conf",
        "search default.svc.cluster.local svc.cluster.local cluster.local\n"
            + "nameserver 10.0.0.2\noptions ndots:5\n");
    server.serve();
    write(server, CoreDns.ZONE_FILE, ZONE);
  }

  private static void write(Host host, String path, String text) {
    host.processes.files().write(path, text.getBytes(StandardCharsets.UTF_8));
  }

  private String lookup(String... arguments) {
    List<String> words = new ArrayList<>(List.of("nslookup"));
    words.addAll(List.of(arguments));
    Run run = client.run(words.toArray(String[]::new));
    return run.out().replaceFirst("(?s)^Server:.*?\n\n", "").strip() + run.err();
  }

  @Test
  void answersAddressesThroughTheSearchDomains() {
    assertThat(lookup("web")).isEqualTo("Name:\tweb.default.svc.cluster.local\nAddress: 10.96.3.4");
    assertThat(lookup("WEB.Default.svc.cluster.local.")).contains("10.96.3.4");
    assertThat(lookup("db")).contains("10.42.0.5", "10.42.0.6");
    assertThat(lookup("db-0.db")).contains("10.42.0.5").doesNotContain("10.42.0.6");
  }

  @Test
  void answersOtherTypes() {
    assertThat(lookup("-type=srv", "_http._tcp.web"))
        .endsWith("service = 0 100 80 web.default.svc.cluster.local");
    assertThat(lookup("10.96.3.4"))
        .isEqualTo("4.3.96.10.in-addr.arpa\tname = web.default.svc.cluster.local");
    assertThat(lookup("alias")).contains("Name:\tweb.default.svc.cluster.local", "10.96.3.4");
    assertThat(lookup("10-42-0-9.default.pod.cluster.local.")).contains("Address: 10.42.0.9");
  }

  @Test
  void tellsANameThatIsNotThereFromOneWithoutSuchRecords() {
    assertThat(lookup("nobody.default.svc.cluster.local."))
        .isEqualTo("** server can't find nobody.default.svc.cluster.local.: NXDOMAIN");
    assertThat(lookup("-type=aaaa", "web.default.svc.cluster.local."))
        .isEqualTo("*** Can't find web.default.svc.cluster.local.: No answer");
    assertThat(lookup("svc.cluster.local.")).as("a name with names below it").contains("No answer");
    assertThat(lookup("300-1-1-1.default.pod.cluster.local.")).contains("NXDOMAIN");
    assertThat(lookup("example.org."))
        .as("it has no nameserver of its own to ask")
        .contains("NXDOMAIN");
  }

  @Test
  void followsItsFile() {
    write(server, CoreDns.ZONE_FILE, ZONE + "new.default.svc.cluster.local. 30 IN A 10.96.9.9\n");
    assertThat(lookup("new")).contains("10.96.9.9");
    write(server, CoreDns.ZONE_FILE, "what is this\n");
    assertThat(lookup("new")).as("the zone before stays").contains("10.96.9.9");
  }

  @Test
  void answersOverTcpWhatIsTooLargeForUdp() {
    StringBuilder large = new StringBuilder(ZONE);
    for (int i = 0; i < 200; i++) {
      large.append("many.default.svc.cluster.local. 30 IN A 10.42.1." + i + "\n");
    }
    write(server, CoreDns.ZONE_FILE, large.toString());
    assertThat(lookup("many").lines().filter(line -> line.startsWith("Address:"))).hasSize(200);
  }

  @Test
  void isReadyOnceItHasAZone() {
    assertThat(client.run("curl", "-s", "http://10.0.0.2:8181/ready").out()).isEqualTo("OK");
    assertThat(client.run("curl", "-s", "http://10.0.0.2:8080/health").out()).isEqualTo("OK");
    Host other = network.host("other", 3, "coredns/coredns");
    other.serve();
    assertThat(client.run("curl", "-s", "-w", " %{http_code}", "http://10.0.0.3:8181/ready").out())
        .isEqualTo("kubernetes 503");
  }

  @Test
  void answersACurlByName() {
    write(server, CoreDns.ZONE_FILE, ZONE + "ready.default.svc.cluster.local. 30 IN A 10.0.0.2\n");
    assertThat(client.run("curl", "-s", "http://ready:8181/ready").out()).isEqualTo("OK");
    assertThat(client.run("curl", "-s", "http://nobody/").exitCode()).isEqualTo(6);
  }
}
