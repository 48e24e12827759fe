package dev.paramecium.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Golden bytes of every record, and the text that Cilium's tools print for it. */
final class RecordLayoutTest {

  private static final Ipv4Address POD = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address PEER = Ipv4Address.parse("10.42.0.51");
  private static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.13");

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  @Test
  void endpointKey() {
    EndpointKey key = new EndpointKey(PEER);
    assertThat(key.encode()).isEqualTo(bytes("0a2a0033 00000000 00000000 00000000 01 00 0000"));
    assertThat(EndpointKey.decode(key.encode())).isEqualTo(key);
    assertThat(key).hasToString("10.42.0.51:0");
  }

  @Test
  void endpointInfo() {
    EndpointInfo info =
        new EndpointInfo(
            29,
            2826,
            0,
            MacAddress.parse("96:86:44:a6:37:ec"),
            MacAddress.parse("d2:ad:65:4d:d0:7b"));
    assertThat(info.encode())
        .isEqualTo(
            bytes(
                "1d000000 0000 0a0b 00000000 00000000 968644a637ec0000 d2ad654dd07b0000"
                    + "00000000 00000000 00000000 00000000"));
    assertThat(EndpointInfo.decode(info.encode())).isEqualTo(info);
    assertThat(info)
        .hasToString(
            "id=2826  flags=0x0000 ifindex=29  mac=96:86:44:A6:37:EC nodemac=D2:AD:65:4D:D0:7B");
    assertThat(EndpointInfo.HOST).hasToString("(localhost)");
    assertThat(EndpointInfo.macFromU64(EndpointInfo.macToU64(info.mac()))).isEqualTo(info.mac());
  }

  @Test
  void ipcache() {
    IpcacheKey key = new IpcacheKey(PEER);
    assertThat(key.encode())
        .isEqualTo(bytes("40000000 0000 00 01 0a2a0033 00000000 00000000 00000000"));
    assertThat(IpcacheKey.decode(key.encode())).isEqualTo(key);
    assertThat(key).hasToString("10.42.0.51/32");
    assertThat(new IpcacheKey(Ipv4Prefix.parse("0.0.0.0/0")).encode()[0]).isEqualTo((byte) 32);

    RemoteEndpointInfo info = new RemoteEndpointInfo(15773, NODE);
    assertThat(info.encode()).isEqualTo(bytes("9d3d0000 c0a8010d 00 000000"));
    assertThat(RemoteEndpointInfo.decode(info.encode())).isEqualTo(info);
    assertThat(info).hasToString("identity=15773 encryptkey=0 tunnelendpoint=192.168.1.13");
  }

  @Test
  void policy() {
    PolicyKey key = new PolicyKey(58112, 80, IpProtocol.TCP, true);
    assertThat(key.encode()).isEqualTo(bytes("00e30000 0050 06 01"));
    assertThat(PolicyKey.decode(key.encode())).isEqualTo(key);
    assertThat(key.portProtocol()).isEqualTo("80/TCP");
    assertThat(key).hasToString("Egress: 58112 80/TCP");
    assertThat(new PolicyKey(1, 0, 0, false).portProtocol()).isEqualTo("ANY");
    assertThat(new PolicyKey(1, 8, IpProtocol.ICMP, false).portProtocol()).isEqualTo("8/ICMP");

    PolicyEntry entry = new PolicyEntry(10000, true, 3, 222);
    assertThat(entry.encode())
        .isEqualTo(bytes("2710 01 0000000000 0300000000000000 de00000000000000"));
    assertThat(PolicyEntry.decode(entry.encode())).isEqualTo(entry);
    assertThat(entry).hasToString("10000 3 222");
  }

  @Test
  void metrics() {
    MetricsKey key = new MetricsKey(133, MetricsKey.INGRESS);
    assertThat(key.encode()).isEqualTo(bytes("85 01 000000000000"));
    assertThat(MetricsKey.decode(key.encode())).isEqualTo(key);
    assertThat(key).hasToString("reason:133 dir:1");
    assertThat(key.directionName()).isEqualTo("INGRESS");
    MetricsValue value = new MetricsValue(3, 222);
    assertThat(value.encode()).isEqualTo(bytes("0300000000000000 de00000000000000"));
    assertThat(MetricsValue.decode(value.encode())).isEqualTo(value);
    assertThat(MetricsValue.sumOf(bytes("01".repeat(32))))
        .isEqualTo(new MetricsValue(0x0202020202020202L, 0x0202020202020202L));
  }

  /** The key that the real datapath made of a pod's connection to port 80 (vectors). */
  @Test
  void conntrackTuple() {
    byte[] real = bytes("0a2a01500a2a003300509c490600");
    CtTuple tuple = CtTuple.decode(real);
    assertThat(tuple).isEqualTo(new CtTuple(POD, PEER, 80, 40009, IpProtocol.TCP, CtTuple.OUT));
    assertThat(tuple.encode()).isEqualTo(real);
    assertThat(tuple.format()).isEqualTo("TCP OUT 10.42.1.80:40009 -> 10.42.0.51:80 ");
    assertThat(new CtTuple(POD, PEER, 0, 0, 1, CtTuple.IN | CtTuple.RELATED).format())
        .isEqualTo("ICMP IN 10.42.1.80:0 -> 10.42.0.51:0 related ");
    assertThat(new CtTuple(POD, PEER, 1, 2, 17, CtTuple.SERVICE).format()).endsWith("service ");
    assertThat(tuple).hasToString("10.42.0.51:40009 --> 10.42.1.80:80, 6, 0");
  }

  @Test
  void conntrackEntry() {
    CtEntry entry = new CtEntry(5, 1034, 6, 480, 17455, 0x13, 3, 7, 0x1b, 0x1a, 4521, 17445, 17444);
    assertThat(entry.encode())
        .isEqualTo(
            bytes(
                "0500000000000000 0a04000000000000 0600000000000000 e001000000000000"
                    + "2f440000 1300 0003 0700 1b 1a a9110000 25440000 24440000"));
    assertThat(CtEntry.decode(entry.encode())).isEqualTo(entry);
    assertThat(entry)
        .hasToString(
            "expires=17455 RxPackets=5 RxBytes=1034 RxFlagsSeen=0x1a LastRxReport=17444"
                + " TxPackets=6 TxBytes=480 TxFlagsSeen=0x1b LastTxReport=17445"
                + " Flags=0x0013 [ RxClosing TxClosing SeenNonSyn ]"
                + " RevNAT=3 SourceSecurityID=4521 IfIndex=7 ");
  }

  @Test
  void services() {
    Lb4Key key = new Lb4Key(Ipv4Address.parse("10.96.0.10"), 53).withBackendSlot(2);
    assertThat(key.encode()).isEqualTo(bytes("0a60000a 0035 0200 00 00 0000"));
    assertThat(Lb4Key.decode(key.encode())).isEqualTo(key);
    assertThat(key).hasToString("10.96.0.10:53");
    assertThat(new Lb4Key(POD, 53, 0, Lb4Key.SCOPE_INTERNAL)).hasToString("10.42.1.80:53/i");

    Lb4Service service = new Lb4Service(0, 2, 3, Lb4Service.FLAG_AFFINITY, 0);
    assertThat(service.encode()).isEqualTo(bytes("00000000 0200 0003 10 00 0000"));
    assertThat(Lb4Service.decode(service.encode())).isEqualTo(service);
    assertThat(service).hasToString("0 2 (3) [0x10 0x0]");

    Lb4Backend backend = new Lb4Backend(PEER, 8080, 0, Lb4Backend.TERMINATING);
    assertThat(backend.encode()).isEqualTo(bytes("0a2a0033 1f90 00 01"));
    assertThat(Lb4Backend.decode(backend.encode())).isEqualTo(backend);
    assertThat(backend).hasToString("ANY://10.42.0.51:8080");
    assertThat(Lb4Backend.decodeKey(Lb4Backend.encodeKey(70000))).isEqualTo(70000);

    Lb4ReverseNat reverse = new Lb4ReverseNat(Ipv4Address.parse("10.96.0.10"), 53);
    assertThat(reverse.encode()).isEqualTo(bytes("0a60000a 0035"));
    assertThat(Lb4ReverseNat.decode(reverse.encode())).isEqualTo(reverse);
    assertThat(reverse).hasToString("10.96.0.10:53");
    assertThat(Lb4ReverseNat.encodeKey(3)).isEqualTo(bytes("0003"));
    assertThat(Lb4ReverseNat.decodeKey(bytes("0003"))).isEqualTo(3);
  }

  @Test
  void affinity() {
    Lb4AffinityKey key = Lb4AffinityKey.ofClient(POD, 3);
    assertThat(key.encode()).isEqualTo(bytes("0a2a0150 00000000 0003 00 0000000000"));
    assertThat(Lb4AffinityKey.decode(key.encode())).isEqualTo(key);
    LbAffinityValue value = new LbAffinityValue(17, 5);
    assertThat(value.encode()).isEqualTo(bytes("1100000000000000 05000000 00000000"));
    assertThat(LbAffinityValue.decode(value.encode())).isEqualTo(value);
    LbAffinityMatch match = new LbAffinityMatch(5, 3);
    assertThat(match.encode()).isEqualTo(bytes("05000000 0003 0000"));
    assertThat(LbAffinityMatch.decode(match.encode())).isEqualTo(match);
    assertThat(match).hasToString("5 3");
  }

  @Test
  void sourceRange() {
    Lb4SourceRangeKey key = new Lb4SourceRangeKey(3, Ipv4Prefix.parse("192.0.2.0/24"));
    assertThat(key.encode()).isEqualTo(bytes("38000000 0003 0000 c0000200"));
    assertThat(Lb4SourceRangeKey.decode(key.encode())).isEqualTo(key);
    assertThat(key).hasToString("192.0.2.0/24 (3)");
  }

  @Test
  void natAndSocketEntries() {
    Ipv4NatEntry nat = new Ipv4NatEntry(12, 1, NODE, 40000);
    assertThat(nat.encode())
        .isEqualTo(
            bytes("0c00000000000000 0100000000000000" + "00".repeat(16) + "c0a8010d 9c40 0000"));
    assertThat(Ipv4NatEntry.decode(nat.encode())).isEqualTo(nat);
    assertThat(nat).hasToString("Addr=192.168.1.13 Port=40000 Created=12 HostLocal=1");

    Ipv4RevNatTuple tuple = new Ipv4RevNatTuple(77, PEER, 53);
    assertThat(tuple.encode()).isEqualTo(bytes("4d00000000000000 0a2a0033 0035 0000"));
    assertThat(Ipv4RevNatTuple.decode(tuple.encode())).isEqualTo(tuple);
    Ipv4RevNatEntry entry = new Ipv4RevNatEntry(Ipv4Address.parse("10.96.0.10"), 53, 3);
    assertThat(entry.encode()).isEqualTo(bytes("0a60000a 0035 0003"));
    assertThat(Ipv4RevNatEntry.decode(entry.encode())).isEqualTo(entry);
    assertThat(entry).hasToString("[10.96.0.10]:53, 3");
  }

  @Test
  void fragments() {
    FragmentKey key = new FragmentKey(PEER, POD, 0x1234, IpProtocol.UDP);
    assertThat(key.encode()).isEqualTo(bytes("0a2a0033 0a2a0150 1234 11 00"));
    assertThat(FragmentKey.decode(key.encode())).isEqualTo(key);
    FragmentValue value = new FragmentValue(40009, 80);
    assertThat(value.encode()).isEqualTo(bytes("9c49 0050"));
    assertThat(FragmentValue.decode(value.encode())).isEqualTo(value);
  }

  @Test
  void bytesOfAnotherRecordAreRefusedWithBothSizes() {
    assertThatThrownBy(() -> CtEntry.decode(new byte[24]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ct_entry has 56 bytes, got 24");
  }

  @Test
  void fieldsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> new PolicyKey(1, 65536, 6, false)).hasMessageContaining("65536");
    assertThatThrownBy(() -> new IpcacheKey(33, POD)).hasMessageContaining("0 to 32");
    byte[] shortPrefix = new IpcacheKey(POD).encode();
    shortPrefix[0] = 31;
    assertThatThrownBy(() -> IpcacheKey.decode(shortPrefix)).hasMessageContaining("-1");
  }

  @Test
  void events() {
    byte[] captured = {1, 2, 3};
    TraceNotify trace =
        new TraceNotify(
            TracePoint.TO_LXC.code(),
            1180,
            0x3000e251,
            74,
            4521,
            61131,
            212,
            TraceReason.REPLY.code(),
            false,
            12,
            POD,
            captured);
    assertThat(trace.encode())
        .isEqualTo(
            bytes(
                "04 00 9c04 51e20030 4a000000 0300 0100a9110000 cbee0000 d400 02 00 0c000000"
                    + " 0a2a0150 000000000000000000000000 010203"));
    DropNotify drop =
        new DropNotify(
            DropReason.POLICY, 51, 0, 58, 0, 58112, 51, 1916, SourceFile.BPF_LXC, -1, captured);
    assertThat(drop.encode())
        .isEqualTo(
            bytes(
                "01 85 3300 00000000 3a000000 0300 0100"
                    + "00000000 00e30000 33000000 7c07 08 ff 010203"));
    PolicyVerdictNotify verdict =
        new PolicyVerdictNotify(
            1180,
            0,
            58,
            58112,
            -DropReason.POLICY,
            80,
            IpProtocol.TCP,
            PolicyVerdictNotify.EGRESS,
            false,
            PolicyVerdictNotify.MATCH_L4_ONLY,
            true,
            captured);
    assertThat(verdict.encode())
        .isEqualTo(
            bytes(
                "05 00 9c04 00000000 3a000000 0300 0100"
                    + "00e30000 7bffffff 5000 06 5a 00000000 010203"));
    for (MonitorEvent event : List.of(trace, drop, verdict)) {
      MonitorEvent decoded = MonitorEvent.decode(event.encode());
      assertThat(decoded).usingRecursiveComparison().isEqualTo(event);
    }
    assertThat(verdict.actionText()).isEqualTo("audit");
    assertThat(verdict.matchText()).isEqualTo("L4-Only");
  }

  @Test
  void anEventThatIsShorterThanItSaysIsRefused() {
    byte[] bytes = new byte[48];
    bytes[0] = MonitorEvent.TYPE_TRACE;
    bytes[12] = 1;
    assertThatThrownBy(() -> MonitorEvent.decode(bytes)).hasMessageContaining("there are 0");
    assertThatThrownBy(() -> MonitorEvent.decode(new byte[] {1}))
        .hasMessageContaining("at least 32");
    assertThat(MonitorEvent.decode(new byte[] {(byte) 130})).isNull();
    assertThat(MonitorEvent.decode(new byte[0])).isNull();
  }

  @Test
  void namesOfCodes() {
    assertThat(DropReason.text(DropReason.POLICY)).isEqualTo("Policy denied");
    assertThat(DropReason.text(DropReason.NO_FIB, 4)).isEqualTo("FIB lookup failed, 4");
    assertThat(DropReason.text(14)).isEqualTo("14, 0");
    assertThat(TracePoint.text(11)).isEqualTo("to-network");
    assertThat(TracePoint.text(99)).isEqualTo("99");
    assertThat(TraceReason.text(1 | TraceReason.ENCRYPTED)).isEqualTo("established");
    assertThat(ReservedIdentity.nameOf(6)).isEqualTo("remote-node");
    assertThat(ReservedIdentity.nameOf(4521)).isEqualTo("4521");
    assertThat(ReservedIdentity.isReplaceable(3)).isFalse();
    assertThat(ReservedIdentity.isReplaceable(7)).isTrue();
    assertThat(SourceFile.name(8)).isEqualTo("bpf_lxc.c");
    assertThat(MapNames.policyMapName(51)).isEqualTo("cilium_policy_00051");
    assertThat(MapNames.policyMapEndpoint("cilium_policy_00051")).isEqualTo(51);
    assertThat(MapNames.policyMapEndpoint("cilium_policy_51")).isEqualTo(-1);
    assertThat(MapNames.policyMapEndpoint("cilium_lxc")).isEqualTo(-1);
  }
}
