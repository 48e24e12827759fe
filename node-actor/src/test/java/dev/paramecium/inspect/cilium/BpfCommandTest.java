package dev.paramecium.inspect.cilium;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.inspect.ToolRun;
import dev.paramecium.inspect.WalkNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BpfCommandTest {

  private final WalkNode node = new WalkNode();

  /** What a table prints, without the blanks that end its lines. */
  private String table(String command) {
    return node.run(command).out().replaceAll("(?m) +$", "");
  }

  @Test
  void listsTheIpcache() {
    assertThat(table("cilium bpf ipcache list"))
        .isEqualTo(
            """
            IP PREFIX/ADDRESS   IDENTITY
            0.0.0.0/0           identity=2 encryptkey=0 tunnelendpoint=0.0.0.0
            10.42.0.51/32       identity=15773 encryptkey=0 tunnelendpoint=192.168.1.13
            10.42.1.80/32       identity=27021 encryptkey=0 tunnelendpoint=0.0.0.0
            """);
  }

  @Test
  void looksAnAddressUpByItsLongestPrefix() {
    assertThat(node.run("cilium bpf ipcache get 10.42.0.51").out())
        .isEqualTo(
            "10.42.0.51 maps to identity identity=15773 encryptkey=0"
                + " tunnelendpoint=192.168.1.13\n");
    assertThat(node.run("cilium bpf ipcache get 1.1.1.1").out()).contains("identity=2 ");
  }

  @Test
  void listsEndpointsAndTunnels() {
    assertThat(table("cilium bpf endpoint list"))
        .isEqualTo(
            """
            IP ADDRESS       LOCAL ENDPOINT INFO
            10.42.1.80:0     id=1180  flags=0x0000 ifindex=43  mac=F6:00:50:F9:92:A1 nodemac=AE:36:76:3E:C3:03
            192.168.1.12:0   (localhost)
            """);
    assertThat(table("cilium bpf tunnel list"))
        .isEqualTo("TUNNEL        VALUE\n10.42.0.0:0   192.168.1.13:0\n");
  }

  @Test
  void listsConnectionsInTheOrderOfTheirEnds() {
    String entry =
        "TCP OUT 10.42.1.80:41212 -> 10.42.0.51:80 expires=1060%s RxPackets=5 RxBytes=1034"
            + " RxFlagsSeen=0x1b LastRxReport=1001 TxPackets=6 TxBytes=480 TxFlagsSeen=0x1b"
            + " LastTxReport=1000 Flags=0x0013 [ RxClosing TxClosing SeenNonSyn ] RevNAT=0"
            + " SourceSecurityID=27021 IfIndex=0 \n\n\n";
    assertThat(node.run("cilium bpf ct list global").out()).isEqualTo(entry.formatted(""));
    assertThat(node.run("cilium bpf ct list global -d").out())
        .isEqualTo(entry.formatted(" (remaining: 60 sec(s))"));
  }

  @Test
  void forgetsConnectionsWhenAskedTo() {
    assertThat(node.run("cilium bpf ct flush global").out())
        .startsWith("Flushed 1 entries from /sys/fs/bpf/tc/globals/cilium_ct4_global\n");
    assertThat(node.run("cilium bpf ct list global").out()).isEqualTo("\n\n");
  }

  @Test
  void listsNatMappings() {
    assertThat(node.run("cilium bpf nat list").out())
        .isEqualTo(
            "UDP OUT 10.42.1.80:5000 -> 1.1.1.1:53 XLATE_SRC 192.168.1.12:5000"
                + " Created=10sec ago HostLocal=0\n\n");
  }

  @Test
  void listsAnEndpointsPolicyDenyFirst() {
    assertThat(table("cilium bpf policy get 1180 -n"))
        .isEqualTo(
            """
            POLICY   DIRECTION   IDENTITY   PORT/PROTO   PROXY PORT   BYTES   PACKETS
            Deny     Egress      2          ANY          NONE         0       0
            Allow    Ingress     1          ANY          NONE         1024    12
            Allow    Ingress     15773      80/TCP       NONE         0       0
            Allow    Egress      0          ANY          NONE         0       0
            """);
    assertThat(table("cilium bpf policy get 1180"))
        .contains("Allow    Ingress     reserved:host                 ANY ");
    assertThat(node.run("cilium bpf policy get --all").out())
        .startsWith("/sys/fs/bpf/tc/globals/cilium_policy_01180:\n\nPOLICY ");
  }

  @Test
  void addsTheMetricsOfAllCpus() {
    assertThat(node.run("cilium bpf metrics list").out())
        .isEqualTo(
            """
            REASON          DIRECTION   PACKETS   BYTES
            Policy denied   INGRESS     3         222
            Success         EGRESS      10        1000
            """);
  }

  @Test
  void listsServicesBackendsAndReverseNat() {
    assertThat(table("cilium bpf lb list"))
        .isEqualTo(
            """
            SERVICE ADDRESS   BACKEND ADDRESS (REVNAT_ID) (SLOT)
            10.96.0.10:53     0.0.0.0:0 (3) (0) [ClusterIP, non-routable]
                              10.42.0.112:53 (3) (1)
                              backend 9 not found
            """);
    assertThat(table("cilium bpf lb list --revnat")).endsWith("\n3    10.96.0.10:53\n");
    assertThat(table("cilium bpf lb list --backends")).endsWith("\n5    ANY://10.42.0.112:53\n");
    assertThat(table("cilium bpf lb list --frontends"))
        .contains("\n10.96.0.10:53     0 2 (3) [0x0 0x0]\n");
  }

  @Test
  void listsWhereNothingIsMasqueraded() {
    assertThat(table("cilium bpf ipmasq list"))
        .isEqualTo("IP PREFIX/ADDRESS\n10.0.0.0/8\n192.168.0.0/16\n");
    assertThat(node.run("cilium bpf ipmasq list -o json").out())
        .contains("\"IP\": \"10.0.0.0\",\n    \"Mask\": \"/wAAAA==\"");
  }

  @Test
  void printsJsonAsGoIndentsIt() {
    assertThat(node.run("cilium bpf tunnel list -o json").out())
        .isEqualTo("{\n  \"10.42.0.0:0\": [\n    \"192.168.1.13:0\"\n  ]\n}\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cilium bpf foo | unknown command \"foo\" for \"cilium bpf\"",
        "cilium bpf ct foo | unknown command \"foo\" for \"cilium bpf ct\"",
        "cilium bpf policy get 77 | cilium_policy_00077: no such file or directory",
        "cilium bpf policy get x | Failed to parse endpointID \"x\"",
        "cilium bpf ipcache get 1.2.3 | Invalid IP address",
        "cilium bpf ct list | Please specify \"global\"",
        "cilium bpf tunnel list --nope | unknown flag: --nope",
        "cilium bpf tunnel list -o xml | output format \"xml\" is not supported here"
      })
  void refusesWhatItDoesNotUnderstand(String command, String message) {
    ToolRun run = node.run(command);
    assertThat(run.err()).contains(message);
    assertThat(run.exitCode()).isEqualTo(1);
  }
}
