package dev.paramecium.inspect.bpftool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.inspect.ToolRun;
import dev.paramecium.inspect.WalkNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BpftoolTest {

  private final WalkNode node = new WalkNode();

  @Test
  void showsOneDevicesProgramsAsTheWalkDoes() {
    assertThat(node.run("bpftool net show dev lxc48c4aa0637ce").out())
        .isEqualTo(
            """
            xdp:

            tc:
            lxc48c4aa0637ce(43) clsact/ingress bpf_lxc.o:[from-container] id 2901

            flow_dissector:

            """);
  }

  @Test
  void sortsDevicesByIndexAndIngressFirst() {
    assertThat(node.run("bpftool net").out())
        .contains(
            """
            eth0(2) clsact/ingress bpf_netdev_eth0.o:[from-netdev] id 2823
            cilium_vxlan(5) clsact/ingress bpf_overlay.o:[from-overlay] id 2699
            cilium_vxlan(5) clsact/egress bpf_overlay.o:[to-overlay] id 2707
            lxc48c4aa0637ce(43) clsact/ingress bpf_lxc.o:[from-container] id 2901
            """);
  }

  @Test
  void showsAProgramAsTheWalkDoes() {
    assertThat(node.run("bpftool prog show id 2901").out())
        .isEqualTo(
            """
            2901: sched_cls  name handle_xgress  tag d578585f7e71464b  gpl
            \tloaded_at 2023-01-09T19:29:52+0000  uid 0
            \txlated 688B  jited 589B  memlock 4096B  map_ids 572,86
            \tbtf_id 301
            """);
  }

  @Test
  void cutsNamesAtFifteenCharactersAsTheKernelDoes() {
    assertThat(node.run("bpftool prog show name tail_ipv4_to_en").out())
        .startsWith("2903: sched_cls  name tail_ipv4_to_en  tag");
    assertThat(node.run("bpftool map show id 97").out())
        .isEqualTo(
            "97: prog_array  name cilium_call_pol  flags 0x0\n"
                + "\tkey 4B  value 4B  max_entries 65535  memlock 524288B\n");
  }

  @Test
  void dumpsShortEntriesOnALineAndLongOnesBelowTheirTitle() {
    assertThat(node.run("bpftool map dump id 97").out())
        .isEqualTo("key: 9c 04 00 00  value: 57 0b 00 00\nFound 1 element\n");
    assertThat(node.run("bpftool map dump pinned /sys/fs/bpf/tc/globals/cilium_ipcache").out())
        .contains(
            "key:\n40 00 00 00 00 00 00 01  0a 2a 00 33 00 00 00 00\n00 00 00 00 00 00 00 00\n"
                + "value:\n9d 3d 00 00 c0 a8 01 0d  00 00 00 00\n")
        .endsWith("Found 3 elements\n");
  }

  @Test
  void dumpsEachCpusValue() {
    assertThat(node.run("bpftool map lookup name cilium_metrics key hex 85 01 0 0 0 0 0 0").out())
        .isEqualTo(
            """
            key:
            85 01 00 00 00 00 00 00
            value (CPU 00): 01 00 00 00 00 00 00 00  4a 00 00 00 00 00 00 00
            value (CPU 01): 02 00 00 00 00 00 00 00  94 00 00 00 00 00 00 00
            """);
  }

  @Test
  void updatesLooksUpAndDeletesEntries() {
    String key = "key hex 0a 2a 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00";
    String value = "value hex c0 a8 01 0e 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00";
    assertThat(node.run("bpftool map update id 80 " + key + " " + value).exitCode()).isZero();
    assertThat(node.run("cilium bpf tunnel list").out())
        .contains("10.42.2.0:0   192.168.1.14:0   ");
    ToolRun again = node.run("bpftool map update id 80 " + key + " " + value + " noexist");
    assertThat(again.err()).isEqualTo("Error: update failed: File exists\n");
    assertThat(node.run("bpftool map delete id 80 " + key).exitCode()).isZero();
    assertThat(node.run("bpftool map lookup id 80 " + key).out()).endsWith("\n\nNot found\n");
    assertThat(node.run("bpftool map delete id 80 " + key).err())
        .isEqualTo("Error: delete failed: No such file or directory\n");
  }

  @Test
  void printsJson() {
    assertThat(node.run("bpftool -j map dump id 97").out())
        .isEqualTo(
            "[{\"key\":[\"0x9c\",\"0x04\",\"0x00\",\"0x00\"],"
                + "\"value\":[\"0x57\",\"0x0b\",\"0x00\",\"0x00\"]}]\n");
    assertThat(node.run("bpftool -p prog show id 2901").out())
        .contains("    \"map_ids\": [572,86\n    ],\n");
    assertThat(node.run("bpftool -j map show id 9999").out())
        .isEqualTo("{\"error\":\"get map by id (9999): No such file or directory\"}\n");
  }

  @Test
  void showsProgramsOnCgroups() {
    assertThat(node.run("bpftool cgroup tree").out())
        .isEqualTo(
            "CgroupPath\n"
                + "ID       AttachType      AttachFlags     Name           \n"
                + "/sys/fs/cgroup\n"
                + "    2600     connect4                        sock4_connect  \n");
  }

  @Test
  void saysThatThereIsNoBytecode() {
    ToolRun run = node.run("bpftool prog dump xlated id 2901");
    assertThat(run.err()).contains("has no eBPF bytecode to dump").contains("handle_xgress");
    assertThat(run.exitCode()).isEqualTo(255);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bpftool prog show id 99999 | Error: get by id (99999): No such file or directory",
        "bpftool net show dev nope | Error: invalid devname nope",
        "bpftool cgroup show | Error: 'show' needs at least 1 arguments, 0 found",
        "bpftool map lookup id 80 key 1 2 | Error: key expected 20 bytes got 2",
        "bpftool map lookup id 97 key hex zz 0 0 0 | Error: error parsing byte: zz",
        "bpftool prog dump | Error: expected 'xlated' or 'jited', got: (null)"
      })
  void refusesWithBpftoolsWords(String command, String message) {
    ToolRun run = node.run(command);
    assertThat(run.err()).isEqualTo(message + "\n");
    assertThat(run.exitCode()).isEqualTo(255);
  }

  @Test
  void refusesAKeyThatTheMapDoesNotTake() {
    String prefixOfFive = "key hex 05 00 00 00 00 00 00 01" + " 0".repeat(16);
    ToolRun run = node.run("bpftool map update id 86 " + prefixOfFive + " value" + " 0".repeat(12));
    assertThat(run.exitCode()).isEqualTo(255);
    assertThat(run.err()).startsWith("Error: update failed: ");
  }
}
