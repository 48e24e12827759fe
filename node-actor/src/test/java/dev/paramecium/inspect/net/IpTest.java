package dev.paramecium.inspect.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.inspect.ToolRun;
import dev.paramecium.inspect.WalkNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IpTest {

  private final WalkNode node = new WalkNode();

  @Test
  void showsThePodsInterfaceAsTheWalkDoes() {
    assertThat(WalkNode.runInPod("ip link show eth0").out())
        .isEqualTo(
            """
            42: eth0@if43: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
                link/ether f6:00:50:f9:92:a1 brd ff:ff:ff:ff:ff:ff
            """);
  }

  @Test
  void showsTheHostSideOfThePodsVethPair() {
    assertThat(node.run("ip link").out())
        .contains(
            """
            43: lxc48c4aa0637ce@if42: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
                link/ether ae:36:76:3e:c3:03 brd ff:ff:ff:ff:ff:ff link-netns cni-407cd7d8-7c02-cfa7-bf93-22946f923ffd
            """)
        .contains("4: cilium_host@cilium_net: <BROADCAST,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500")
        .doesNotContain("42: eth0@if43");
  }

  @Test
  void showsTheRouteOfTheWalkInThePodAndMoreOnTheNode() {
    assertThat(WalkNode.runInPod("ip route get 10.42.0.51").out())
        .isEqualTo("10.42.0.51 via 10.42.1.247 dev eth0 src 10.42.1.80\n");
    assertThat(node.run("ip route get 10.42.1.80").out())
        .isEqualTo(
            "10.42.1.80 via 10.42.1.247 dev cilium_host src 10.42.1.247 uid 0 \n    cache \n");
    assertThat(node.run("ip route get 192.168.1.12").out())
        .isEqualTo("local 192.168.1.12 dev lo src 192.168.1.12 uid 0 \n    cache <local> \n");
  }

  @Test
  void showsRoutesInTheKernelsOrder() {
    assertThat(WalkNode.runInPod("ip r").out())
        .isEqualTo("default via 10.42.1.247 dev eth0 \n10.42.1.247 dev eth0 scope link \n");
    assertThat(node.run("ip route show table local").out())
        .isEqualTo(
            """
            local 10.42.1.247 dev cilium_host proto kernel scope host src 10.42.1.247\s
            local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1\s
            local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1\s
            broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1\s
            local 192.168.1.12 dev eth0 proto kernel scope host src 192.168.1.12\s
            broadcast 192.168.1.255 dev eth0 proto kernel scope link src 192.168.1.12\s
            """);
  }

  @Test
  void showsVxlanDetails() {
    assertThat(node.run("ip -d link show type vxlan").out())
        .contains(
            "\n    vxlan external id 0 srcport 0 0 dstport 8472 nolearning ttl auto ageing 300")
        .startsWith("5: cilium_vxlan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500");
  }

  @Test
  void alignsCountersUnderTheirTitles() {
    assertThat(node.run("ip -s link show eth0").out())
        .contains("\n    RX:   bytes packets errors dropped  missed   mcast           \n")
        .contains("\n           3293      31      0       0       0       0 \n")
        .endsWith("\n    12345678901       7      0       1       0       0 \n");
  }

  @Test
  void joinsARecordsLinesWithBackslashes() {
    assertThat(node.run("ip -o -4 addr show cilium_host").out())
        .isEqualTo(
            "4: cilium_host    inet 10.42.1.247/32 scope link cilium_host\\"
                + "       valid_lft forever preferred_lft forever\n");
  }

  @Test
  void printsBriefly() {
    assertThat(node.run("ip -br link show eth0").out())
        .isEqualTo(
            "eth0             UP             02:fc:00:00:00:01"
                + " <BROADCAST,MULTICAST,UP,LOWER_UP> \n");
    assertThat(WalkNode.runInPod("ip -br a").out())
        .isEqualTo(
            "lo               UNKNOWN        127.0.0.1/8 \n"
                + "eth0@if43        UP             10.42.1.80/32 \n");
  }

  @Test
  void printsJsonInIproute2sLayout() {
    assertThat(node.run("ip -j -p neigh show dev eth0").out())
        .startsWith(
            """
            [ {
                    "dst": "192.168.1.13",
                    "lladdr": "00:11:22:33:44:55",
                    "state": [ "PERMANENT" ]
                },{
            """);
    assertThat(node.run("ip -j route get 10.42.1.80").out())
        .isEqualTo(
            "[{\"dst\":\"10.42.1.80\",\"gateway\":\"10.42.1.247\",\"dev\":\"cilium_host\","
                + "\"prefsrc\":\"10.42.1.247\",\"flags\":[],\"uid\":0,\"cache\":[]}]\n");
  }

  @Test
  void showsNeighboursRulesAndNamespaces() {
    assertThat(node.run("ip n").out())
        .isEqualTo(
            "192.168.1.13 dev eth0 lladdr 00:11:22:33:44:55 PERMANENT \n"
                + "192.168.1.14 dev eth0 lladdr 00:11:22:33:44:56 STALE \n"
                + "192.168.1.99 dev eth0 FAILED \n");
    assertThat(node.run("ip rule").out())
        .isEqualTo(
            "9:\tfrom all fwmark 0x200/0xf00 lookup 2004\n"
                + "10:\tfrom all fwmark 0xa00/0xf00 lookup 2005\n"
                + "100:\tfrom all lookup local\n"
                + "32766:\tfrom all lookup main\n"
                + "32767:\tfrom all lookup default\n");
    assertThat(node.run("ip netns").out()).isEqualTo(WalkNode.NETNS + " (id: 0)\n");
    assertThat(node.run("ip -n " + WalkNode.NETNS + " link show eth0").out())
        .startsWith("42: eth0@if43: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ip link show nope | 1 | Device \"nope\" does not exist.",
        "ip link foo | 255 | Command \"foo\" is unknown, try \"ip link help\".",
        "ip foo | 1 | Object \"foo\" is unknown, try \"ip help\".",
        "ip -z link | 255 | Option \"-z\" is unknown, try \"ip -help\".",
        "ip route get nope | 1 | Error: any valid prefix is expected rather than \"nope\".",
        "ip route get | 1 | need at least a destination address",
        "ip route get 8.8.8.8 | 2 | RTNETLINK answers: Network is unreachable",
        "ip link show lo lo | 255 | Error: either \"dev\" is duplicate, or \"lo\" is a garbage.",
        "ip neigh show dev nope | 1 | Cannot find device \"nope\"",
        "ip -n nope link | 255 | Cannot open network namespace \"nope\": No such file or directory",
        "ip link show dev | 255 | Command line is not complete. Try option \"help\""
      })
  void refusesWithIproute2sWordsAndExitCodes(String command, int exitCode, String message) {
    ToolRun run = node.run(command);
    assertThat(run.err()).isEqualTo(message + "\n");
    assertThat(run.exitCode()).isEqualTo(exitCode);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void changesNothing() {
    ToolRun run = node.run("ip link set eth0 down");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("ip link set: this tool only shows");
  }

  @Test
  void showsTheNeighbourTableInBothStyles() {
    assertThat(WalkNode.runInPod("arp -n").out())
        .isEqualTo("? (10.42.1.247) at ae:36:76:3e:c3:03 [ether] on eth0\n");
    assertThat(node.run("arp -n").out())
        .isEqualTo(
            """
            Address                  HWtype  HWaddress           Flags Mask            Iface
            192.168.1.13             ether   00:11:22:33:44:55   CM                    eth0
            192.168.1.14             ether   00:11:22:33:44:56   C                     eth0
            192.168.1.99                     (incomplete)                              eth0
            """);
    assertThat(node.run("arp -an 192.168.1.13").out())
        .isEqualTo("? (192.168.1.13) at 00:11:22:33:44:55 [ether] PERM on eth0\n");
    assertThat(node.run("arp -n 192.168.1.77").out())
        .isEqualTo("192.168.1.77 (192.168.1.77) -- no entry\n");
  }

  @Test
  void showsTcFiltersAndQdiscs() {
    assertThat(node.run("tc filter show dev lxc48c4aa0637ce ingress").out())
        .isEqualTo(
            "filter protocol all pref 1 bpf chain 0 \n"
                + "filter protocol all pref 1 bpf chain 0 handle 0x1 bpf_lxc.o:[from-container]"
                + " direct-action not_in_hw id 2901 tag d578585f7e71464b jited \n");
    assertThat(node.run("tc filter show dev lxc48c4aa0637ce egress").out()).isEmpty();
    assertThat(node.run("tc qdisc show dev " + WalkNode.LXC).out())
        .isEqualTo("qdisc noqueue 0: root refcnt 2 \nqdisc clsact ffff: parent ffff:fff1 \n");
    assertThat(node.run("tc qdisc").out())
        .contains("qdisc clsact ffff: dev eth0 parent ffff:fff1 \n")
        .doesNotContain("clsact ffff: dev lo");
    ToolRun unknown = node.run("tc filter show dev nope ingress");
    assertThat(unknown.err()).isEqualTo("Cannot find device \"nope\"\n");
    assertThat(unknown.exitCode()).isEqualTo(1);
  }
}
