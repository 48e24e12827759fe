package dev.paramecium.inspect.tcpdump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.paramecium.inspect.Frames;
import dev.paramecium.inspect.ToolRun;
import dev.paramecium.inspect.WalkNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lines as tcpdump 4.99.3 printed them for the same frames. */
class TcpdumpTest {

  private static final long BOOT_NS = 1_000_000_000_000L;

  private final WalkNode node = new WalkNode();

  private String capture(String command, byte[]... frames) {
    ToolRun run = node.run(command);
    for (int i = 0; i < frames.length; i++) {
      node.pass(BOOT_NS + 123_456_000L + 1000L * i, 43, false, frames[i]);
    }
    return run.settle().signal(2).out();
  }

  @Test
  void printsAConversationWithRelativeSequenceNumbers() {
    assertThat(
            capture(
                "tcpdump -n -i " + WalkNode.LXC,
                Frames.SYN,
                Frames.SYN_ACK,
                Frames.ACK,
                Frames.HTTP_REQUEST,
                Frames.HTTP_RESPONSE,
                Frames.FIN,
                Frames.SACK))
        .isEqualTo(
            """
            19:29:52.123456 IP 10.42.1.80.41212 > 10.42.0.51.80: Flags [S], seq 1000, win 64240, options [mss 1410,sackOK,TS val 1000 ecr 0,nop,wscale 7], length 0
            19:29:52.123457 IP 10.42.0.51.80 > 10.42.1.80.41212: Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1410,sackOK,TS val 1000 ecr 0,nop,wscale 7], length 0
            19:29:52.123458 IP 10.42.1.80.41212 > 10.42.0.51.80: Flags [.], ack 1, win 502, options [nop,nop,TS val 1001 ecr 2000], length 0
            19:29:52.123459 IP 10.42.1.80.41212 > 10.42.0.51.80: Flags [P.], seq 1:40, ack 1, win 502, options [nop,nop,TS val 1001 ecr 2000], length 39: HTTP: GET /get HTTP/1.1
            19:29:52.123460 IP 10.42.0.51.80 > 10.42.1.80.41212: Flags [P.], seq 1:25, ack 41, win 502, options [nop,nop,TS val 1001 ecr 2000], length 24: HTTP: HTTP/1.1 200 OK
            19:29:52.123461 IP 10.42.1.80.41212 > 10.42.0.51.80: Flags [F.], seq 41, ack 25, win 502, options [nop,nop,TS val 1001 ecr 2000], length 0
            19:29:52.123462 IP 10.42.1.80.41212 > 10.42.0.51.80: Flags [.], ack 25, win 502, options [nop,nop,sack 1 {101:201}], length 0
            """);
  }

  @Test
  void printsArpIcmpDnsAndFragments() {
    assertThat(
            capture(
                "tcpdump -nt",
                Frames.ARP_REQUEST,
                Frames.ARP_REPLY,
                Frames.ECHO_REQUEST,
                Frames.ECHO_REPLY,
                Frames.PORT_UNREACHABLE,
                Frames.FRAGMENTATION_NEEDED,
                Frames.TIME_EXCEEDED,
                Frames.FIRST_FRAGMENT,
                Frames.LATER_FRAGMENT,
                Frames.DNS_QUERY))
        .isEqualTo(
            """
            ARP, Request who-has 10.42.1.247 tell 10.42.1.80, length 28
            ARP, Reply 10.42.1.247 is-at ae:36:76:3e:c3:03, length 28
            IP 10.42.1.80 > 10.42.0.51: ICMP echo request, id 7, seq 1, length 64
            IP 10.42.0.51 > 10.42.1.80: ICMP echo reply, id 7, seq 1, length 64
            IP 10.42.0.51 > 10.42.1.80: ICMP 10.42.0.51 udp port 9999 unreachable, length 36
            IP 10.42.0.51 > 10.42.1.80: ICMP 10.42.0.51 unreachable - need to frag (mtu 1450), length 36
            IP 10.42.0.51 > 10.42.1.80: ICMP time exceeded in-transit, length 36
            IP 10.42.1.80.1 > 10.42.0.51.2: UDP, length 100
            IP 10.42.1.80 > 10.42.0.51: ip-proto-17
            IP 10.42.1.80.33333 > 10.42.0.51.53: 4660+ A? www.example.com. (33)
            """);
  }

  @Test
  void printsTheInnerFrameOfVxlan() {
    assertThat(capture("tcpdump -nte", Frames.VXLAN))
        .isEqualTo(
            """
            ae:36:76:3e:c3:03 > f6:00:50:f9:92:a1, ethertype IPv4 (0x0800), length 124: 192.168.1.12.40000 > 192.168.1.13.8472: VXLAN, flags [I] (0x08), vni 27021
            f6:00:50:f9:92:a1 > ae:36:76:3e:c3:03, ethertype IPv4 (0x0800), length 74: 10.42.1.80.41212 > 10.42.0.51.80: Flags [S], seq 1000, win 64240, options [mss 1410,sackOK,TS val 1000 ecr 0,nop,wscale 7], length 0
            """);
  }

  @Test
  void verifiesChecksumsWhenVerbose() {
    assertThat(capture("tcpdump -n -v", Frames.SYN, Frames.RST_BAD_CHECKSUM))
        .isEqualTo(
            """
            19:29:52.123456 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 60)
                10.42.1.80.41212 > 10.42.0.51.80: Flags [S], cksum 0x8e4e (correct), seq 1000, win 64240, options [mss 1410,sackOK,TS val 1000 ecr 0,nop,wscale 7], length 0
            19:29:52.123457 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 40)
                10.42.1.80.41213 > 10.42.0.51.81: Flags [R.], cksum 0xf89a (incorrect -> 0xf89b), seq 7, ack 9, win 0, length 0
            """);
  }

  @Test
  void dumpsBytes() {
    assertThat(capture("tcpdump -ntX", Frames.ACK))
        .endsWith(
            """
            \t0x0000:  4500 0034 0001 4000 4006 24ed 0a2a 0150  E..4..@.@.$..*.P
            \t0x0010:  0a2a 0033 a0fc 0050 0000 03e9 0000 1389  .*.3...P........
            \t0x0020:  8010 01f6 9a79 0000 0101 080a 0000 03e9  .....y..........
            \t0x0030:  0000 07d0                                ....
            """);
    assertThat(capture("tcpdump -ntA", Frames.HTTP_REQUEST))
        .endsWith("GET /get HTTP/1.1\nHost: 10.42.0.51\n\n\n");
  }

  @Test
  void namesDevicesAndDirectionsOnAny() {
    ToolRun run = node.run("tcpdump -n -i any -c 2 icmp");
    node.pass(BOOT_NS, 2, false, Frames.ECHO_REPLY);
    node.pass(BOOT_NS, 43, true, Frames.SYN);
    node.pass(BOOT_NS, 43, true, Frames.ECHO_REPLY);
    assertThat(run.settle().out())
        .isEqualTo(
            """
            19:29:52.000000 eth0  In  IP 10.42.0.51 > 10.42.1.80: ICMP echo reply, id 7, seq 1, length 64
            19:29:52.000000 lxc48c4aa0637ce Out IP 10.42.0.51 > 10.42.1.80: ICMP echo reply, id 7, seq 1, length 64
            """);
    assertThat(run.exitCode()).isZero();
    assertThat(run.err())
        .isEqualTo(
            """
            tcpdump: data link type LINUX_SLL2
            tcpdump: verbose output suppressed, use -v[v]... for full protocol decode
            listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144 bytes
            2 packets captured
            2 packets received by filter
            0 packets dropped by kernel
            """);
    assertThat(node.listeners()).isZero();
  }

  @Test
  void countsOnePacketInTheSingular() {
    ToolRun run = node.run("tcpdump -n -i eth0 -c 1");
    node.pass(BOOT_NS, 2, false, Frames.SYN);
    assertThat(run.settle().err())
        .endsWith(
            "listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n"
                + "1 packet captured\n1 packet received by filter\n0 packets dropped by kernel\n");
  }

  @Test
  void countsWhatASlowReaderMisses() {
    ToolRun run = node.run("tcpdump -n");
    for (int i = 0; i < 5000; i++) {
      node.pass(BOOT_NS, 2, false, Frames.SYN);
    }
    run.settle().signal(2);
    assertThat(run.err()).contains("4096 packets captured\n").contains("904 packets dropped");
  }

  @Test
  void writesWhatItReads(@TempDir Path directory) {
    Path file = directory.resolve("walk.pcap");
    ToolRun run = node.run("tcpdump -i eth0 -w '" + file + "' -c 2");
    node.pass(BOOT_NS + 1000, 2, false, Frames.SYN);
    node.pass(BOOT_NS + 2000, 2, true, Frames.ARP_REPLY);
    assertThat(run.settle().exitCode()).isZero();
    assertThat(run.err()).startsWith("tcpdump: listening on eth0, ");
    assertThat(node.run("tcpdump -n -r '" + file + "' arp").out())
        .isEqualTo("19:29:52.000002 ARP, Reply 10.42.1.247 is-at ae:36:76:3e:c3:03, length 28\n");
  }

  @Test
  void writesAPcapThatTsharkOpens(@TempDir Path directory)
      throws IOException, InterruptedException {
    boolean installed =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(path -> Files.isExecutable(Path.of(path, "tshark")));
    assumeTrue(installed, "needs tshark");
    Path file = directory.resolve("walk.pcap");
    ToolRun run = node.run("tcpdump -i eth0 -w - -c 1");
    node.pass(BOOT_NS, 2, true, Frames.VXLAN);
    Files.write(file, run.settle().outBytes());
    Process tshark =
        new ProcessBuilder(
                List.of(
                    "tshark",
                    "-r",
                    file.toString(),
                    "-d",
                    "udp.port==8472,vxlan",
                    "-T",
                    "fields",
                    "-e",
                    "vxlan.vni",
                    "-e",
                    "tcp.dstport"))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String text = new String(tshark.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(tshark.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(text).isEqualTo("27021\t80\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tcpdump -i nope | tcpdump: nope: No such device exists",
        "tcpdump host | tcpdump: can't parse filter expression: syntax error",
        "tcpdump foo bar | tcpdump: unknown host 'foo'",
        "tcpdump -c 0 | tcpdump: invalid packet count 0",
        "tcpdump -i | tcpdump: option requires an argument -- 'i'",
        "tcpdump -k | tcpdump: invalid option -- 'k'",
        "tcpdump -r /nope/x.pcap | tcpdump: /nope/x.pcap: No such file or directory",
        "tcpdump -w /nope/x.pcap | tcpdump: /nope/x.pcap: cannot be written on the machine"
      })
  void refusesWithTcpdumpsWords(String command, String message) {
    ToolRun run = node.run(command);
    assertThat(run.err()).startsWith(message);
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(node.listeners()).isZero();
  }
}
