package dev.paramecium.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.apiserver.ServiceAllocation;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClusterZoneTest {

  private static KubeObject service(String name, String spec) {
    return TestCluster.object(
        """
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"%s","namespace":"default"},
         "spec":%s}
        """
            .formatted(name, spec));
  }

  private static KubeObject slice(String service, String endpoints) {
    return TestCluster.object(
        """
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
         "metadata":{"name":"%s-1","namespace":"default",
           "labels":{"kubernetes.io/service-name":"%s"}},
         "endpoints":%s,
         "ports":[{"name":"sql","port":5432,"protocol":"TCP"}]}
        """
            .formatted(service, service, endpoints));
  }

  private static List<String> lines(List<KubeObject> services, List<KubeObject> slices) {
    return ClusterZone.text(services, slices, 9)
        .lines()
        .map(line -> line.replace(".svc.cluster.local.", ".S.").replace(" 30 IN ", " "))
        .skip(3)
        .toList();
  }

  @Test
  void beginsWithTheAuthority() {
    assertThat(ClusterZone.text(List.of(), List.of(), 9))
        .startsWith(
            "cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 9 7200 1800"
                + " 86400 30\n");
    assertThat(ServiceAllocation.CLUSTER_IPS.contains(Ipv4Address.parse(ClusterDns.ADDRESS)))
        .isTrue();
  }

  @Test
  void namesAServiceItsPortsAndItsAddress() {
    KubeObject web =
        service(
            "web",
            "{\"clusterIP\":\"10.96.3.4\",\"ports\":[{\"name\":\"http\",\"port\":80},{\"port\":53,\"protocol\":\"UDP\"}]}");
    assertThat(lines(List.of(web), List.of()))
        .containsExactly(
            "web.default.S. A 10.96.3.4",
            "4.3.96.10.in-addr.arpa. PTR web.default.S.",
            "web.default.S. SRV 0 50 80 web.default.S.",
            "_http._tcp.web.default.S. SRV 0 100 80 web.default.S.",
            "web.default.S. SRV 0 50 53 web.default.S.");
  }

  @Test
  void namesEachReadyEndpointOfAHeadlessService() {
    KubeObject db = service("db", "{\"clusterIP\":\"None\"}");
    KubeObject endpoints =
        slice(
            "db",
            """
            [{"addresses":["10.42.0.5"],"hostname":"db-0","conditions":{"ready":true}},
             {"addresses":["10.42.0.6"],"conditions":{"ready":true}},
             {"addresses":["10.42.0.7"],"conditions":{"ready":false}}]
            """);
    assertThat(lines(List.of(db), List.of(endpoints)))
        .containsExactly(
            "db.default.S. A 10.42.0.5",
            "db-0.db.default.S. A 10.42.0.5",
            "5.0.42.10.in-addr.arpa. PTR db-0.db.default.S.",
            "_sql._tcp.db.default.S. SRV 0 100 5432 db-0.db.default.S.",
            "db.default.S. A 10.42.0.6",
            "10-42-0-6.db.default.S. A 10.42.0.6",
            "6.0.42.10.in-addr.arpa. PTR 10-42-0-6.db.default.S.",
            "_sql._tcp.db.default.S. SRV 0 100 5432 10-42-0-6.db.default.S.");
    KubeObject all = service("db", "{\"clusterIP\":\"None\",\"publishNotReadyAddresses\":true}");
    assertThat(lines(List.of(all), List.of(endpoints))).contains("db.default.S. A 10.42.0.7");
  }

  @Test
  void pointsToAnExternalName() {
    KubeObject external =
        service("ext", "{\"type\":\"ExternalName\",\"externalName\":\"www.example.org\"}");
    assertThat(lines(List.of(external), List.of()))
        .containsExactly("ext.default.S. CNAME www.example.org.");
  }
}
