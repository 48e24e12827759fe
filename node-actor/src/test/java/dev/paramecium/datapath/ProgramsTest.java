package dev.paramecium.datapath;

import static dev.paramecium.datapath.TestNode.CLIENT;
import static dev.paramecium.datapath.TestNode.CLIENT_ID;
import static dev.paramecium.datapath.TestNode.CLIENT_IDENTITY;
import static dev.paramecium.datapath.TestNode.CLIENT_IFINDEX;
import static dev.paramecium.datapath.TestNode.CURL;
import static dev.paramecium.datapath.TestNode.CURL_IDENTITY;
import static dev.paramecium.datapath.TestNode.CURL_IFINDEX;
import static dev.paramecium.datapath.TestNode.HTTPBIN;
import static dev.paramecium.datapath.TestNode.HTTPBIN_IDENTITY;
import static dev.paramecium.datapath.TestNode.NET_IFINDEX;
import static dev.paramecium.datapath.TestNode.OTHER_NODE;
import static dev.paramecium.datapath.TestNode.VIP;
import static dev.paramecium.datapath.TestNode.VXLAN_IFINDEX;
import static dev.paramecium.datapath.TestNode.WORLD;
import static dev.paramecium.datapath.TestNode.WORLD_IDENTITY;
import static dev.paramecium.datapath.TestNode.run;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.ConntrackGc;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Tcp;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Decisions of the programs: packet, maps, check. */
class ProgramsTest {

  private final TestNode node = new TestNode();

  @Test
  void tunnelsToTheNodeThatTheIpcacheNames() {
    node.curl.allowEgress(0, 0, 0);
    SkBuff syn = node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.REDIRECT);
    assertThat(syn.redirectIfindex).isEqualTo(VXLAN_IFINDEX);
    assertThat(syn.tunnelId).isEqualTo(CURL_IDENTITY);
    assertThat(syn.tunnelRemote).isEqualTo(OTHER_NODE.value());
    assertThat(syn.u8(22)).as("TTL").isEqualTo(64);
  }

  @Test
  void dropsWhenEgressPolicyDeniesThePeer() {
    SkBuff syn = node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.SHOT);
    List<MonitorEvent> events = node.events();
    assertThat(events).hasSize(2);
    assertThat(((PolicyVerdictNotify) events.get(0)).verdict()).isEqualTo(-DropReason.POLICY);
    DropNotify drop = (DropNotify) events.get(1);
    assertThat(drop.reason()).isEqualTo(DropReason.POLICY);
    assertThat(drop.sourceLabel()).isEqualTo(CURL_IDENTITY);
    assertThat(drop.destinationLabel()).isEqualTo(HTTPBIN_IDENTITY);
    assertThat(node.counted(DropReason.POLICY, MetricsKey.EGRESS)).isEqualTo(1);
    assertThat(node.maps.conntrack().tcp().size()).isZero();
  }

  @Test
  void dropsWhatPretendsToComeFromAnotherPod() {
    node.curl.allowEgress(0, 0, 0);
    SkBuff syn = node.tcp(CLIENT, 40000, HTTPBIN, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.SHOT);
    assertThat(((DropNotify) node.events().get(0)).reason()).isEqualTo(DropReason.INVALID_SIP);
  }

  @Test
  void deliversOnTheSameNodeThroughThePolicyOfTheReceiver() {
    node.curl.allowEgress(CLIENT_IDENTITY, 80, IpProtocol.TCP);
    node.client.allowIngress(CURL_IDENTITY, 80, IpProtocol.TCP);
    SkBuff syn = node.tcp(CURL, 40000, CLIENT, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.REDIRECT);
    assertThat(syn.redirectIfindex).isEqualTo(CLIENT_IFINDEX);
    assertThat(syn.u8(22)).as("TTL").isEqualTo(63);
    assertThat(syn.mac(Ethernet.DESTINATION)).isEqualTo(0x0a00_0000_0000L | CLIENT_ID);
    assertThat(node.maps.conntrack().tcp().size()).as("one entry a direction").isEqualTo(2);
  }

  @Test
  void leavesTheSendersEntryWhenTheReceiverDenies() {
    node.curl.allowEgress(0, 0, 0);
    SkBuff syn = node.tcp(CURL, 40000, CLIENT, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.SHOT);
    assertThat(node.maps.conntrack().tcp().size()).isEqualTo(1);
    assertThat(node.counted(DropReason.POLICY, MetricsKey.INGRESS)).isEqualTo(1);
  }

  @Test
  void lookupOrderAloneDecidesBetweenAllowAndDeny() {
    node.client.allowIngress(CURL_IDENTITY, 80, IpProtocol.TCP);
    node.client.denyIngress(CURL_IDENTITY, 0, 0);
    SkBuff allowed = node.tcp(CURL, 40000, CLIENT, 80, Tcp.SYN);
    assertThat(node.runFromOverlay(allowed, CURL_IDENTITY)).isEqualTo(Verdict.REDIRECT);
    SkBuff denied = node.tcp(CURL, 40000, CLIENT, 81, Tcp.SYN);
    assertThat(node.runFromOverlay(denied, CURL_IDENTITY)).isEqualTo(Verdict.SHOT);
    assertThat(node.counted(DropReason.POLICY_DENY, MetricsKey.INGRESS)).isEqualTo(1);
  }

  @Test
  void letsRepliesInWithoutAskingPolicy() {
    node.curl.allowEgress(0, 0, 0);
    run(node.curl.programs().fromContainer(), node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN));
    node.events();
    SkBuff reply = node.tcp(HTTPBIN, 80, CURL, 40000, Tcp.SYN | Tcp.ACK);
    assertThat(node.runFromOverlay(reply, HTTPBIN_IDENTITY)).isEqualTo(Verdict.REDIRECT);
    assertThat(reply.redirectIfindex).isEqualTo(CURL_IFINDEX);
    TraceNotify trace = (TraceNotify) node.events().get(0);
    assertThat(trace.point()).isEqualTo(TracePoint.TO_LXC.code());
    assertThat(trace.reason()).as("reply").isEqualTo(2);
  }

  @Test
  void believesTheTunnelKeyButNotThatAnotherNodeIsThisHost() {
    node.curl.allowIngress(1, 0, 0);
    SkBuff spoofed = node.tcp(HTTPBIN, 40000, CURL, 80, Tcp.SYN);
    assertThat(node.runFromOverlay(spoofed, 1)).isEqualTo(Verdict.SHOT);
    assertThat(node.counted(DropReason.INVALID_IDENTITY, MetricsKey.INGRESS)).isEqualTo(1);
  }

  @Test
  void takesAnEndpointIdInTheMarkForNoIdentity() {
    node.curl.allowIngress(CLIENT_IDENTITY, 0, 0);
    int endpointId = CLIENT_IDENTITY << 16 | 0x0900;
    SkBuff fromHost = node.tcp(WORLD, 40000, CURL, 80, Tcp.SYN);
    fromHost.mark = endpointId;
    assertThat(run(node.host.fromHost(), fromHost)).isEqualTo(Verdict.SHOT);
    assertThat(((DropNotify) node.events().getLast()).sourceLabel()).isEqualTo(WORLD_IDENTITY);
    SkBuff toContainer = node.tcp(WORLD, 40001, CURL, 80, Tcp.SYN);
    toContainer.mark = endpointId;
    assertThat(run(node.curl.programs().toContainer(), toContainer)).isEqualTo(Verdict.SHOT);
    assertThat(((DropNotify) node.events().getLast()).sourceLabel()).isEqualTo(WORLD_IDENTITY);
    SkBuff identity = node.tcp(WORLD, 40002, CURL, 80, Tcp.SYN);
    identity.mark = CLIENT_IDENTITY << 16 | 0x0f00;
    assertThat(run(node.host.fromHost(), identity)).as("an identity").isEqualTo(Verdict.REDIRECT);
  }

  @Test
  void givesTheStackWhatCameThroughTheTunnelForTheNodeItself() {
    SkBuff packet = node.tcp(HTTPBIN, 40000, WORLD, 80, Tcp.SYN);
    assertThat(node.runFromOverlay(packet, HTTPBIN_IDENTITY)).isEqualTo(Verdict.REDIRECT);
    assertThat(packet.redirectIfindex).isEqualTo(NET_IFINDEX);
  }

  @Test
  void marksWhatGoesToTheWorldWithItsIdentity() {
    node.curl.allowEgress(WORLD_IDENTITY, 443, IpProtocol.TCP);
    SkBuff syn = node.tcp(CURL, 40000, WORLD, 443, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.OK);
    assertThat(syn.mark).isEqualTo(CURL_IDENTITY << 16 | 0x0f00);
    assertThat(syn.u8(22)).as("TTL").isEqualTo(63);
  }

  @Test
  void dropsWhatMayNotBeForwardedOnceMoreAfterItsEntryWasMade() {
    node.curl.allowEgress(0, 0, 0);
    SkBuff syn = node.tcp(CURL, 40000, WORLD, 443, Tcp.SYN, 0, 1);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.SHOT);
    assertThat(node.counted(DropReason.INVALID, MetricsKey.EGRESS)).isEqualTo(1);
    assertThat(node.maps.conntrack().tcp().size()).isEqualTo(1);
  }

  @Test
  void sendsARedirectedConnectionToItsProxy() {
    node.curl.redirectEgress(HTTPBIN_IDENTITY, 80, IpProtocol.TCP, 10001);
    SkBuff syn = node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.OK);
    int rawPort = Short.reverseBytes((short) 10001) & 0xffff;
    assertThat(syn.mark).isEqualTo(rawPort << 16 | 0x0200);
  }

  @Test
  void translatesAServiceAndItsRepliesBack() {
    node.curl.allowEgress(HTTPBIN_IDENTITY, 8080, IpProtocol.TCP);
    node.service(VIP, 7, 1, HTTPBIN);
    SkBuff syn = node.tcp(CURL, 40000, VIP, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.REDIRECT);
    assertThat(Ipv4Header.daddr(syn)).isEqualTo(HTTPBIN.value());
    assertThat(syn.u16(36)).isEqualTo(8080);
    SkBuff reply = node.tcp(HTTPBIN, 8080, CURL, 40000, Tcp.SYN | Tcp.ACK);
    assertThat(node.runFromOverlay(reply, HTTPBIN_IDENTITY)).isEqualTo(Verdict.REDIRECT);
    assertThat(Ipv4Header.saddr(reply)).isEqualTo(VIP.value());
    assertThat(reply.u16(34)).isEqualTo(80);
    SkBuff fresh = node.tcp(VIP, 80, CURL, 40000, Tcp.SYN | Tcp.ACK, 0, 63);
    assertThat(reply.u16(50)).as("TCP checksum").isEqualTo(fresh.u16(50));
    assertThat(reply.u16(24)).as("IPv4 checksum").isEqualTo(fresh.u16(24));
  }

  @Test
  void givesAPodThatCallsItsOwnServiceAnotherSourceAndNoPolicy() {
    node.service(VIP, 7, 1, CURL);
    SkBuff syn = node.tcp(CURL, 40000, VIP, 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.REDIRECT);
    assertThat(Ipv4Header.saddr(syn)).isEqualTo(0xa9fe2a01);
    assertThat(Ipv4Header.daddr(syn)).isEqualTo(CURL.value());
    assertThat(syn.redirectIfindex).isEqualTo(CURL_IFINDEX);
  }

  @Test
  void takesATupleWithoutSourceForOneThatWasNeverStored() {
    node.curl.allowEgress(0, 0, 0);
    SkBuff syn = node.tcp(CURL, 40000, new Ipv4Address(0), 80, Tcp.SYN);
    assertThat(run(node.curl.programs().fromContainer(), syn)).isEqualTo(Verdict.SHOT);
    DropNotify drop = (DropNotify) node.events().get(0);
    assertThat(drop.reason()).isEqualTo(DropReason.INVALID_TC_BUFFER);
    assertThat(node.maps.conntrack().tcp().size()).isZero();
  }

  @Test
  void reopensAClosingConnectionOnASyn() {
    node.curl.allowEgress(0, 0, 0);
    ProgramSection from = node.curl.programs().fromContainer();
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN));
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.FIN | Tcp.ACK));
    node.events();
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN));
    assertThat(node.events()).hasAtLeastOneElementOfType(PolicyVerdictNotify.class);
  }

  @Test
  void tellsAnEstablishedFlowAgainOnlyAfterTheReportInterval() {
    node.curl.allowEgress(0, 0, 0);
    ProgramSection from = node.curl.programs().fromContainer();
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN));
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.ACK));
    node.events();
    node.clock.seconds += 5;
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.ACK));
    assertThat(node.events()).isEmpty();
    node.clock.seconds += 1;
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.ACK));
    assertThat(node.events()).hasSize(1);
  }

  private int collect(int later) {
    return ConntrackGc.collect(node.maps.conntrack(), node.maps.nat(), node.clock.seconds + later)
        .removed();
  }

  @Test
  void collectsEntriesWhoseLifeIsOver() {
    node.curl.allowEgress(0, 0, 0);
    run(node.curl.programs().fromContainer(), node.tcp(CURL, 1, HTTPBIN, 80, Tcp.SYN));
    assertThat(collect(60)).isZero();
    assertThat(collect(61)).isEqualTo(2);
    assertThat(node.maps.conntrack().tcp().size()).isZero();
    assertThat(node.maps.conntrack().any().size()).isZero();
  }

  @Test
  void dropsWhenThePolicySlotOfTheReceiverIsEmpty() {
    node.maps.policyCalls().clear(CLIENT_ID);
    SkBuff syn = node.tcp(HTTPBIN, 40000, CLIENT, 80, Tcp.SYN);
    assertThat(node.runFromOverlay(syn, HTTPBIN_IDENTITY)).isEqualTo(Verdict.SHOT);
    assertThat(node.counted(DropReason.MISSED_TAIL_CALL, MetricsKey.INGRESS)).isEqualTo(1);
  }

  @Test
  void answersRawWhatConntrackCannotRead() {
    node.curl.allowEgress(0, 0, 0);
    SkBuff sctp = node.tcp(CURL, 40000, HTTPBIN, 80, 0);
    sctp.setU8(23, IpProtocol.SCTP);
    assertThat(run(node.curl.programs().fromContainer(), sctp))
        .isEqualTo(-DropReason.CT_UNKNOWN_PROTO);
    assertThat(node.events()).isEmpty();
  }

  @Test
  void tellsATracedPacketsWholeWay() {
    List<String> steps = new ArrayList<>();
    TestNode traced = new TestNode(3, recorder(steps));
    traced.curl.allowEgress(0, 0, 0);
    traced.client.allowIngress(CURL_IDENTITY, 0, 0);
    SkBuff quiet = traced.tcp(CURL, 40000, CLIENT, 80, Tcp.SYN);
    run(traced.curl.programs().fromContainer(), quiet);
    assertThat(steps).isEmpty();
    SkBuff syn = traced.tcp(CURL, 40001, CLIENT, 80, Tcp.SYN);
    syn.traced = true;
    run(traced.curl.programs().fromContainer(), syn);
    assertThat(steps)
        .containsSubsequence(
            "handle_xgress",
            "tail_handle_ipv4",
            "tail_ipv4_ct_egress",
            "handle_ipv4_from_lxc",
            "cilium_ipcache 10.42.1.81/32",
            "policy_can_egress4",
            "cilium_lxc 10.42.1.81:0",
            "ipv4_local_delivery",
            "bpf_lxc.o:[1/0x049d]",
            "handle_policy",
            "ipv4_policy",
            "redirect_ep");
  }

  private static TraceRecorder recorder(List<String> steps) {
    return new TraceRecorder() {
      @Override
      public void program(SkBuff packet, ProgramSection section) {
        steps.add(section.name());
      }

      @Override
      public void function(SkBuff packet, String function) {
        steps.add(function);
      }

      @Override
      public void lookup(SkBuff packet, String map, String key, String value) {
        steps.add(map + " " + key);
      }

      @Override
      public void decision(SkBuff packet, String rule) {
        steps.add(rule);
      }

      @Override
      public void drop(SkBuff packet, int reason) {
        steps.add("drop " + reason);
      }
    };
  }
}
