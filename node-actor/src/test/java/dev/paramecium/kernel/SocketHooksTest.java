package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.datapath.underlay.NodeResolver;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.MapEntry;
import dev.paramecium.syscall.Syscall;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Processes of a node that translates services when they connect. */
final class SocketHooksTest {

  private static final Ipv4Address VIP = Ipv4Address.parse("10.96.0.10");
  private static final Ipv4Address CURL = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address BIN = Ipv4Address.parse("10.42.1.51");
  private static final ActorTestKit KIT = ActorTestKit.create();

  private static TestNode node;
  private static TestNode.Pod curl;
  private static TestNode.Pod bin;

  @BeforeAll
  static void start() {
    int port = TwoNodes.freePort();
    Ipv4Address ip = Ipv4Address.parse("127.0.35.12");
    node =
        new TestNode(
            KIT,
            KernelConfig.of("ubuntu-dev2", ip, 1).withResolver(NodeResolver.identity(port)),
            "10.42.1.0/24");
    node.load(
        DatapathOptions.defaults(node.podCidr)
            .withNodePort(DatapathOptions.NodePort.DEFAULT)
            .withSockets(new DatapathOptions.Sockets(true, false, true, false)));
    curl = node.startPod("curl", 1180, 31028, CURL.toString(), "curlimages/curl");
    bin = node.startPod("bin", 2826, 15773, BIN.toString(), "kennethreitz/httpbin");
    service(VIP, 8000, 0);
    service(Ipv4Address.ANY, 30080, Lb4Service.FLAG_NODE_PORT);
  }

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  /** A frontend for httpbin. */
  private static void service(Ipv4Address address, int port, int flags) {
    Lb4Key key = new Lb4Key(address, port);
    node.update(MapNames.LB4_SERVICES, key.encode(), new Lb4Service(0, 1, port, flags, 0).encode());
    node.update(
        MapNames.LB4_SERVICES,
        key.withBackendSlot(1).encode(),
        new Lb4Service(7, 0, port, flags, 0).encode());
    node.update(
        MapNames.LB4_BACKENDS,
        Lb4Backend.encodeKey(7),
        new Lb4Backend(BIN, 80, 0, Lb4Backend.ACTIVE).encode());
  }

  private static String curl(TestNode.Pod from, String url) {
    TestNode.Outcome outcome =
        node.exec(from.containerId(), "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url);
    return outcome.stdout();
  }

  @Test
  void aPodReachesAServiceAndItsPacketsCarryTheBackendsAddress() {
    assertThat(curl(curl, "http://10.96.0.10:8000/get")).isEqualTo("200");
    List<MapEntry> tracked = node.call(reply -> new Syscall.DumpMap(MapNames.CT4_GLOBAL, reply));
    // A tuple has the addresses the other way round.
    assertThat(tracked)
        .extracting(entry -> CtTuple.decode(entry.key()).toString())
        .anySatisfy(tuple -> assertThat(tuple).startsWith(BIN + ":").contains(CURL + ":80"))
        .noneSatisfy(tuple -> assertThat(tuple).contains(VIP.toString()).contains(CURL.toString()));
  }

  @Test
  void theProcessIsToldThatItTalksToTheService() {
    TestNode.Outcome verbose =
        node.exec(curl.containerId(), "curl", "-sv", "http://10.96.0.10:8000/get");
    assertThat(verbose.stderr()).contains("Connected to 10.96.0.10 (10.96.0.10) port 8000");
  }

  @Test
  void theNodeReachesTheServiceAndItsNodePortBehindLoopback() {
    for (String url : List.of("http://10.96.0.10:8000/get", "http://127.0.0.1:30080/get")) {
      TestNode.Outcome outcome = node.exec("", "curl", "-s", "-o", "/dev/null", url);
      assertThat(outcome.exitCode()).as(url + " " + outcome.stderr()).isZero();
    }
  }

  @Test
  void aPodThatIsItsOwnBackendTalksToItselfOverLoopback() {
    TestNode.Outcome outcome =
        node.exec(bin.containerId(), "nc", "-z", "-w", "2", "10.96.0.10", "8000");
    assertThat(outcome.exitCode()).as(outcome.stderr()).isZero();
  }

  /** Where every socket is translated, no packet is: what the hook leaves alone stays as it is. */
  @Test
  void aPacketToAServiceIsNotTranslatedOnTheDevice() {
    Lb4Key key = new Lb4Key(VIP, 8001);
    int redirect = Lb4Service.FLAG2_LOCAL_REDIRECT;
    node.update(
        MapNames.LB4_SERVICES, key.encode(), new Lb4Service(0, 1, 8001, 0, redirect).encode());
    node.update(
        MapNames.LB4_SERVICES,
        key.withBackendSlot(1).encode(),
        new Lb4Service(7, 0, 8001, 0, redirect).encode());
    String[] connect = {"nc", "-z", "-w", "1", VIP.toString(), "8001"};
    assertThat(node.exec(curl.containerId(), connect).exitCode()).isZero();
    assertThat(node.exec(bin.containerId(), connect).exitCode()).isNotZero();
  }

  @Test
  void noProcessOfTheNodeCanBindTheNodePort() {
    TestNode.Outcome outcome = node.exec("", "nc", "-l", "-p", "30080");
    assertThat(outcome.exitCode()).isNotZero();
    assertThat(outcome.stderr()).contains("Operation not permitted");
  }

  @Test
  void bpftoolShowsTheProgramsOnTheRootCgroup() {
    String tree = node.exec("", "bpftool", "cgroup", "tree").stdout();
    assertThat(tree)
        .startsWith(
            "CgroupPath\n"
                + "ID       AttachType      AttachFlags     Name           \n"
                + "/sys/fs/cgroup\n");
    assertThat(tree.lines().skip(3).map(line -> line.trim().replaceAll(" +", " ").split(" ", 2)[1]))
        .containsExactly(
            "connect4 sock4_connect",
            "getpeername4 sock4_getpeerna",
            "post_bind4 sock4_post_bind",
            "sendmsg4 sock4_sendmsg",
            "recvmsg4 sock4_recvmsg");
    assertThat(node.exec("", "bpftool", "prog", "show", "name", "sock4_connect").stdout())
        .matches("(?s)\\d+: cgroup_sock_addr  name sock4_connect  tag [0-9a-f]{16}  gpl\n.*");
    assertThat(node.exec("", "bpftool", "prog", "show", "name", "sock4_post_bind").stdout())
        .contains(": cgroup_sock  name sock4_post_bind");
  }

  @Test
  void bpftoolDumpsWhatTheSocketsAskedFor() {
    curl(curl, "http://10.96.0.10:8000/get");
    assertThat(node.exec("", "bpftool", "map", "show").stdout())
        .contains("lru_hash  name cilium_lb4_reve  flags 0x0\n\tkey 16B  value 8B");
    String sockets =
        node.exec(
                "",
                "bpftool",
                "map",
                "dump",
                "pinned",
                MapNames.PIN_DIRECTORY + "cilium_lb4_reverse_sk")
            .stdout();
    assertThat(sockets).contains("  0a 2a 01 33 00 50 00 00").contains("0a 60 00 0a 1f 40 1f 40");
  }
}
