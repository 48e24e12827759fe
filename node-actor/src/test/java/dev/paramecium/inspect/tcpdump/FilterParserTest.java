package dev.paramecium.inspect.tcpdump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.inspect.Frames;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.packet.Packet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FilterParserTest {

  private static final List<byte[]> FRAMES =
      List.of(
          Frames.SYN,
          Frames.SYN_ACK,
          Frames.ECHO_REQUEST,
          Frames.ARP_REQUEST,
          Frames.VXLAN,
          Frames.LATER_FRAGMENT,
          Frames.DNS_QUERY);

  private static boolean matches(String expression, byte[] frame) {
    return FilterParser.parse(expression).matches(new Packet(frame), frame.length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp",
        "host 10.42.0.51",
        "10.42.0.51",
        "src 10.42.1.80",
        "dst host 10.42.0.51 and tcp port 80",
        "port 443 or 80",
        "src net 10.42.1.0/24",
        "net 10.42.0.0 mask 255.255.0.0",
        "net 10.42",
        "tcp dst port http",
        "portrange 41000-42000",
        "src or dst port 80",
        "not (udp or icmp)",
        "! arp && ip",
        "ip proto 6",
        "ip proto \\tcp",
        "ether host f6:00:50:f9:92:a1",
        "ether proto 0x800",
        "tcp[13] & 2 != 0",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
        "tcp[tcpflags] == tcp-syn",
        "tcp[2:2] = 80",
        "less 100",
        ""
      })
  void acceptsTheSynOfTheWalk(String expression) {
    assertThat(matches(expression, Frames.SYN)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "udp",
        "host 10.42.0.52",
        "dst 10.42.1.80",
        "src and dst net 10.42.0.0/24",
        "udp port 80",
        "port 81 or 82",
        "not tcp",
        "ether src ae:36:76:3e:c3:03",
        "tcp[tcpflags] & tcp-ack != 0",
        "greater 100",
        "vlan",
        "broadcast"
      })
  void refusesTheSynOfTheWalk(String expression) {
    assertThat(matches(expression, Frames.SYN)).isFalse();
  }

  @Test
  void findsAddressesInArpToo() {
    assertThat(matches("arp host 10.42.1.247", Frames.ARP_REQUEST)).isTrue();
    assertThat(matches("host 10.42.1.247", Frames.ARP_REQUEST)).isTrue();
    assertThat(matches("ip host 10.42.1.247", Frames.ARP_REQUEST)).isFalse();
  }

  @Test
  void findsNoPortsInLaterFragments() {
    assertThat(matches("udp", Frames.LATER_FRAGMENT)).isTrue();
    assertThat(matches("udp portrange 0-65535", Frames.LATER_FRAGMENT)).isFalse();
  }

  @Test
  void readsAndAndOrFromLeftToRight() {
    // As pcap-filter(7) says: equal precedence, so this is (icmp or tcp) and udp.
    assertThat(matches("icmp or tcp and udp", Frames.ECHO_REQUEST)).isFalse();
    assertThat(matches("icmp or (tcp and udp)", Frames.ECHO_REQUEST)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "host",
        "(tcp",
        "tcp)",
        "tcp and",
        "and tcp",
        "not",
        "port",
        "src",
        "ether",
        "tcp[13] &",
        "tcp[13",
        "tcp[13:3] = 1",
        "10.42.0.51 10.42.1.80",
        "|",
        "host and",
        "ip proto \\"
      })
  void saysThatItIsNoExpression(String expression) {
    assertThatThrownBy(() -> FilterParser.parse(expression))
        .isInstanceOf(ToolError.class)
        .hasMessage("tcpdump: can't parse filter expression: syntax error");
  }

  @Test
  void refusesToNestWithoutEnd() {
    String deep = "(".repeat(100_000) + "tcp" + ")".repeat(100_000);
    assertThatThrownBy(() -> FilterParser.parse(deep))
        .hasMessage("tcpdump: can't parse filter expression: parser stack overflow");
    assertThat(matches("(".repeat(50) + "tcp" + ")".repeat(50), Frames.SYN)).isTrue();
  }

  @Test
  void namesWhatIsWrong() {
    assertThatThrownBy(() -> FilterParser.parse("port foo"))
        .hasMessage("tcpdump: unknown port 'foo'");
    assertThatThrownBy(() -> FilterParser.parse("port 99999"))
        .hasMessage("tcpdump: illegal port number 99999 > 65535");
    assertThatThrownBy(() -> FilterParser.parse("host 1.2.3.400"))
        .hasMessage("tcpdump: invalid IPv4 address '1.2.3.400'");
    assertThatThrownBy(() -> FilterParser.parse("net 10.0.0.1/8"))
        .hasMessage("tcpdump: non-network bits set in \"10.0.0.1/8\"");
  }

  /** An expression's text and, by another way, what it means. */
  record Case(String text, Filter meaning) {}

  @Provide
  Arbitrary<Case> expressions() {
    return expressions(4);
  }

  private static Arbitrary<Case> expressions(int depth) {
    Arbitrary<Case> primitives =
        Arbitraries.of(
            new Case("tcp", (p, _) -> p.hasIpv4() && p.protocol() == 6),
            new Case("udp", (p, _) -> p.hasIpv4() && p.protocol() == 17),
            new Case("icmp", (p, _) -> p.hasIpv4() && p.protocol() == 1),
            new Case("arp", (p, _) -> p.etherType() == 0x806),
            new Case("port 80", (p, _) -> p.hasPorts() && anyPort(p, 80)),
            new Case("src port 53", (p, _) -> p.hasPorts() && p.sourcePort() == 53),
            new Case("less 80", (_, length) -> length <= 80));
    if (depth == 0) {
      return primitives;
    }
    Arbitrary<Case> inner = expressions(depth - 1);
    return Arbitraries.oneOf(
        primitives,
        inner.map(c -> new Case("not (" + c.text + ")", c.meaning.not())),
        Combinators.combine(inner, inner)
            .as((a, b) -> new Case(group(a) + " and " + group(b), a.meaning.and(b.meaning))),
        Combinators.combine(inner, inner)
            .as((a, b) -> new Case(group(a) + " || " + group(b), a.meaning.or(b.meaning))));
  }

  private static String group(Case one) {
    return "(" + one.text + ")";
  }

  private static boolean anyPort(Packet packet, int port) {
    return packet.sourcePort() == port || packet.destinationPort() == port;
  }

  @Property(tries = 300)
  void meansWhatItsPartsMean(@ForAll("expressions") Case one) {
    Filter parsed = FilterParser.parse(one.text);
    for (byte[] frame : FRAMES) {
      Packet packet = new Packet(frame);
      assertThat(parsed.matches(packet, frame.length))
          .as(one.text)
          .isEqualTo(one.meaning.matches(packet, frame.length));
    }
  }

  @Property(tries = 1000)
  void neverFailsOtherwiseThanWithAMessage(@ForAll("words") String text) {
    try {
      Filter filter = FilterParser.parse(text);
      for (byte[] frame : FRAMES) {
        filter.matches(new Packet(frame), frame.length);
      }
    } catch (ToolError e) {
      assertThat(e.text()).startsWith("tcpdump: ");
    }
  }

  @Provide
  Arbitrary<String> words() {
    return Arbitraries.of(
            "tcp",
            "udp",
            "host",
            "net",
            "port",
            "portrange",
            "src",
            "dst",
            "and",
            "or",
            "not",
            "(",
            ")",
            "[",
            "]",
            "&",
            "=",
            "10.42.0.51",
            "80",
            "ip",
            "proto",
            "ether",
            "13:2",
            "less",
            "mask",
            "10.0.0.0/8",
            "é",
            "\\",
            "-1",
            "99999999999",
            ":")
        .list()
        .ofMaxSize(8)
        .map(words -> String.join(" ", words));
  }
}
