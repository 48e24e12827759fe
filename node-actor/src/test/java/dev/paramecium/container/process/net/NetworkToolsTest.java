package dev.paramecium.container.process.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Run;
import dev.paramecium.container.process.dns.DnsMessage;
import dev.paramecium.container.process.dns.DnsRecord;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.UdpHandler;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class NetworkToolsTest {

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host client = network.host("client", 1, "busybox");
  private final VirtualNetwork.Host server = network.host("server", 2, "kennethreitz/httpbin");

  @Test
  void pingPrintsRepliesAndStatistics() {
    Run run = client.run("ping", "-c", "2", "10.0.0.2");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.
            64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.200 ms
            64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=0.100 ms

            --- 10.0.0.2 ping statistics ---
            2 packets transmitted, 2 received, 0% packet loss, time 1000ms
            rtt min/avg/max/mdev = 0.100/0.150/0.200/0.050 ms
            """);
  }

  @Test
  void pingFailsWhenNoOneAnswers() {
    Run run = client.run("ping", "-c", "1", "-W", "1", "10.0.0.9");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.out())
        .contains("1 packets transmitted, 0 received")
        .contains("100% packet loss");
  }

  @Test
  void pingReportsAnUnreachableNetworkAndAnUnknownName() {
    assertThat(client.run("ping", "-c", "1", "8.8.8.8").err())
        .isEqualTo("ping: connect: Network is unreachable\n");
    assertThat(client.run("ping", "-c", "1", "nowhere").err())
        .isEqualTo("ping: nowhere: Name or service not known\n");
  }

  @Test
  void ctrlCEndsPingWithStatistics() {
    Run run = client.start("ping", "10.0.0.2");
    network.pass(2500);
    run.process.signal(2);
    network.pass(1);

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains("3 packets transmitted, 3 received, 0% packet loss, time 2000ms");
  }

  @Test
  void tracerouteShowsEachHop() {
    Run run = client.run("traceroute", "10.0.0.2");

    assertThat(run.out())
        .startsWith(
            "traceroute to 10.0.0.2 (10.0.0.2), 30 hops max, 60 byte packets\n"
                + " 1  10.0.0.2 (10.0.0.2)  0.");
    assertThat(run.out().lines()).hasSize(2);
  }

  @Test
  void netcatSaysWhetherAPortIsOpen() {
    server.serve();

    Run open = client.run("nc", "-zv", "10.0.0.2", "80");
    Run shut = client.run("nc", "-zv", "10.0.0.2", "81");
    Run silent = client.run("nc", "-zv", "-w", "1", "10.0.0.9", "81");

    assertThat(open.exitCode()).isZero();
    assertThat(open.err()).isEqualTo("Connection to 10.0.0.2 80 port [tcp/*] succeeded!\n");
    assertThat(shut.exitCode()).isEqualTo(1);
    assertThat(shut.err())
        .isEqualTo("nc: connect to 10.0.0.2 port 81 (tcp) failed: Connection refused\n");
    assertThat(silent.err()).contains("timed out");
  }

  @Test
  void netcatCarriesMegabytesFromStdinToStdout() {
    Run listener = server.start("sh", "-c", "nc -l -p 9000 | sha256sum");
    network.pass(10);
    Run sender = client.run("sh", "-c", "head -c 8M /dev/zero | nc 10.0.0.2 9000");
    listener.await();

    assertThat(sender.exitCode()).isZero();
    assertThat(listener.out())
        .isEqualTo("2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74  -\n");
  }

  @Test
  void netcatSpeaksUdp() {
    Run listener = server.start("nc", "-u", "-l", "-p", "9001");
    network.pass(10);
    client.run("sh", "-c", "echo datagram | nc -u -w 1 10.0.0.2 9001");

    assertThat(listener.out()).isEqualTo("datagram\n");
  }

  @Test
  void wgetPrintsToStdout() {
    server.serve();

    Run run = client.run("wget", "-qO-", "http://server/ip");

    assertThat(run.out()).isEqualTo("{\n  \"origin\": \"10.0.0.1\"\n}\n");
    assertThat(client.run("wget", "-O", "-", "http://10.0.0.2/status/404").err())
        .contains("wget: server returned error: HTTP/1.1 404 NOT FOUND");
    assertThat(client.run("wget", "http://10.0.0.2:82/").err())
        .contains("wget: can't connect to remote host (10.0.0.2): Connection refused");
  }

  @Test
  void resolvesThroughTheNameserverAndItsSearchDomains() throws Exception {
    client
        .processes
        .files()
        .write(
            "/etc/resolv.conf",
            "search default.svc.cluster.local\nnameserver 10.0.0.2\noptions ndots:5\n"
                .getBytes(StandardCharsets.UTF_8));
    server.stack.bindUdp(
        Ipv4Address.ANY, 53, answering("web.default.svc.cluster.local", 0x0a000002));
    server.serve();

    Run run = client.run("curl", "-s", "-o", "/dev/null", "-w", "%{remote_ip}", "http://web/ip");
    Run lookup = client.run("nslookup", "web");
    Run missing = client.run("nslookup", "other");

    assertThat(run.out()).isEqualTo("10.0.0.2");
    assertThat(lookup.out()).contains("Name:\tweb.default.svc.cluster.local\nAddress: 10.0.0.2\n");
    assertThat(missing.exitCode()).isEqualTo(1);
    assertThat(missing.out()).contains("** server can't find other: NXDOMAIN");
  }

  /** A nameserver that knows one name. */
  private static UdpHandler answering(String name, int address) {
    return (socket, from, query) -> {
      byte[] question = Arrays.copyOfRange(query, 12, query.length);
      byte[] wanted =
          Arrays.copyOfRange(
              DnsMessage.query(0, name, DnsRecord.A).encode(), 12, question.length + 12);
      boolean known = Arrays.equals(question, wanted);
      ByteBuffer answer = ByteBuffer.allocate(512);
      answer.put(query, 0, 2).putShort((short) (known ? 0x8180 : 0x8183));
      answer.putShort((short) 1).putShort((short) (known ? 1 : 0)).putInt(0).put(question);
      if (known) {
        answer.putShort((short) 0xc00c).putShort((short) 1).putShort((short) 1);
        answer.putInt(30).putShort((short) 4).putInt(address);
      }
      try {
        socket.send(from, Arrays.copyOf(answer.array(), answer.position()));
      } catch (SocketException e) {
        throw new IllegalStateException(e);
      }
    };
  }
}
