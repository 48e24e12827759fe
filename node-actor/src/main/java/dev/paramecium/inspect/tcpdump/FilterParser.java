package dev.paramecium.inspect.tcpdump;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.packet.Packet;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The part of pcap-filter(7) that people type.
 *
 * <pre>
 *   expression := term { (and | or) term }          equal precedence, from left to right
 *   term       := not term | ( expression ) | primitive
 *   primitive  := [proto] [src | dst | src or dst | src and dst] [host | net | port | portrange] ID
 *               | proto | ether [src | dst] host MAC | [ip] proto N | less N | greater N
 *               | proto [ offset : size ] [&amp; mask] relation number
 * </pre>
 *
 * An ID without qualifiers takes those of the primitive before it: {@code port 80 or 443}.
 */
final class FilterParser {

  private static final Pattern TOKEN =
      Pattern.compile("\\s*(&&|\\|\\||!=|>=|<=|==|[()!\\[\\]&|<>=]|[^\\s()!\\[\\]&|<>=]+)");

  private static final Set<String> PROTOCOLS =
      Set.of("ip", "ip6", "arp", "tcp", "udp", "icmp", "sctp", "ether");

  private static final Set<String> RESERVED =
      Set.of("and", "or", "not", "src", "dst", "host", "net", "port", "portrange", "proto", "mask");

  /** How deep parentheses and negations may nest. */
  private static final int MAX_DEPTH = 200;

  private enum Direction {
    EITHER,
    SOURCE,
    DESTINATION,
    BOTH
  }

  /** What stands before an ID. */
  private record Qualifiers(String protocol, Direction direction, String type) {}

  private final List<String> tokens = new ArrayList<>();
  private int at;
  private int depth;
  private @Nullable Qualifiers last;

  private FilterParser(String expression) {
    Matcher matcher = TOKEN.matcher(expression);
    int end = 0;
    while (end < expression.length() && matcher.find(end) && matcher.start() == end) {
      tokens.add(matcher.group(1));
      end = matcher.end();
    }
    if (!expression.substring(end).isBlank()) {
      throw syntaxError();
    }
  }

  /**
   * @throws ToolError with tcpdump's words if the expression is none
   */
  static Filter parse(String expression) {
    if (expression.isBlank()) {
      return Filter.ALL;
    }
    FilterParser parser = new FilterParser(expression);
    Filter filter = parser.expression();
    if (parser.at != parser.tokens.size()) {
      throw syntaxError();
    }
    return filter;
  }

  private static ToolError syntaxError() {
    return error("can't parse filter expression: syntax error");
  }

  private static ToolError error(String message) {
    return new ToolError(1, "tcpdump: " + message);
  }

  private String peek() {
    return at < tokens.size() ? tokens.get(at) : "";
  }

  private String peek(int ahead) {
    return at + ahead < tokens.size() ? tokens.get(at + ahead) : "";
  }

  private String next() {
    if (at == tokens.size()) {
      throw syntaxError();
    }
    return tokens.get(at++);
  }

  private boolean take(String... words) {
    for (String word : words) {
      if (peek().equals(word)) {
        at++;
        return true;
      }
    }
    return false;
  }

  private Filter expression() {
    Filter left = term();
    while (true) {
      if (take("and", "&&")) {
        left = left.and(term());
      } else if (take("or", "||")) {
        left = left.or(term());
      } else {
        return left;
      }
    }
  }

  private Filter term() {
    if (++depth > MAX_DEPTH) {
      throw error("can't parse filter expression: parser stack overflow");
    }
    Filter term = unlimitedTerm();
    depth--;
    return term;
  }

  private Filter unlimitedTerm() {
    if (take("not", "!")) {
      return term().not();
    }
    if (take("(")) {
      Filter inner = expression();
      if (!take(")")) {
        throw syntaxError();
      }
      return inner;
    }
    return primitive();
  }

  private Filter primitive() {
    if (take("less")) {
      int limit = number(next());
      return (_, length) -> length <= limit;
    }
    if (take("greater")) {
      int limit = number(next());
      return (_, length) -> length >= limit;
    }
    if (take("broadcast")) {
      return (p, _) -> p.hasEthernet() && p.destinationMac().equals(MacAddress.BROADCAST);
    }
    if (take("multicast")) {
      return (p, _) -> p.hasEthernet() && (p.destinationMac().value() >>> 40 & 1) != 0;
    }
    if (take("vlan")) {
      if (!peek().isEmpty() && Character.isDigit(peek().charAt(0))) {
        int id = number(next());
        return (p, _) -> p.vlan() == id;
      }
      return (p, _) -> p.vlan() >= 0;
    }
    if (PROTOCOLS.contains(peek()) && peek(1).equals("[")) {
      return relation();
    }
    String protocol = PROTOCOLS.contains(peek()) ? next() : "";
    boolean explicitDirection = peek().equals("src") || peek().equals("dst");
    Direction direction = explicitDirection ? direction() : Direction.EITHER;
    if (take("proto")) {
      last = null;
      return protocolNumber(protocol, next());
    }
    if (take("host", "net", "port", "portrange")) {
      Qualifiers qualifiers = new Qualifiers(protocol, direction, tokens.get(at - 1));
      last = qualifiers;
      return identified(qualifiers, next());
    }
    if (explicitDirection) {
      Qualifiers qualifiers = new Qualifiers(protocol, direction, "host");
      last = qualifiers;
      return identified(qualifiers, next());
    }
    if (!protocol.isEmpty()) {
      if (protocol.equals("ether")) {
        throw syntaxError();
      }
      return ofProtocol(protocol);
    }
    String id = next();
    if (RESERVED.contains(id) || !Character.isLetterOrDigit(id.charAt(0))) {
      throw syntaxError();
    }
    Qualifiers qualifiers = last == null ? new Qualifiers("", Direction.EITHER, "host") : last;
    return identified(qualifiers, id);
  }

  private Direction direction() {
    boolean source = next().equals("src");
    boolean pair = peek(1).equals(source ? "dst" : "src");
    if (pair && peek().equals("or")) {
      at += 2;
      return Direction.EITHER;
    }
    if (pair && peek().equals("and")) {
      at += 2;
      return Direction.BOTH;
    }
    return source ? Direction.SOURCE : Direction.DESTINATION;
  }

  private static int number(String text) {
    try {
      return Integer.decode(text);
    } catch (NumberFormatException e) {
      throw syntaxError();
    }
  }

  // ---- protocols

  private static Filter ofProtocol(String protocol) {
    return switch (protocol) {
      case "" -> Filter.ALL;
      case "ip" -> (p, _) -> p.hasIpv4();
      case "ip6" -> (p, _) -> p.etherType() == Packet.ETHERTYPE_IPV6;
      case "arp" -> (p, _) -> p.etherType() == Packet.ETHERTYPE_ARP;
      case "tcp" -> ipProtocol(6);
      case "udp" -> ipProtocol(17);
      case "icmp" -> ipProtocol(1);
      case "sctp" -> ipProtocol(132);
      default -> throw syntaxError();
    };
  }

  private static Filter ipProtocol(int number) {
    return (p, _) -> p.hasIpv4() && p.protocol() == number;
  }

  private static Filter protocolNumber(String protocol, String text) {
    String name = text.startsWith("\\") ? text.substring(1) : text;
    if (name.isEmpty()) {
      throw syntaxError();
    }
    if (protocol.equals("ether")) {
      int type =
          switch (name) {
            case "ip" -> Packet.ETHERTYPE_IPV4;
            case "arp" -> Packet.ETHERTYPE_ARP;
            case "ip6" -> Packet.ETHERTYPE_IPV6;
            default -> number(name);
          };
      return (p, _) -> p.etherType() == type;
    }
    if (!protocol.isEmpty() && !protocol.equals("ip")) {
      throw syntaxError();
    }
    return ipProtocol(
        switch (name) {
          case "icmp" -> 1;
          case "tcp" -> 6;
          case "udp" -> 17;
          case "sctp" -> 132;
          default -> {
            if (!Character.isDigit(name.charAt(0))) {
              throw error("unknown ip proto '" + name + "'");
            }
            yield number(name);
          }
        });
  }

  // ---- identifiers

  private Filter identified(Qualifiers qualifiers, String id) {
    if (RESERVED.contains(id) || !Character.isLetterOrDigit(id.charAt(0))) {
      throw syntaxError();
    }
    return switch (qualifiers.type) {
      case "port" -> ports(qualifiers, port(id), port(id));
      case "portrange" -> {
        String[] ends = id.split("-", 2);
        if (ends.length != 2) {
          throw error("illegal port range '" + id + "': write two ports, as in 8000-8080");
        }
        yield ports(qualifiers, port(ends[0]), port(ends[1]));
      }
      case "net" -> addresses(qualifiers, net(id));
      default ->
          qualifiers.protocol.equals("ether")
              ? macs(qualifiers, id)
              : addresses(qualifiers, new Ipv4Prefix(address(id), 32));
    };
  }

  private static int port(String id) {
    if (!id.chars().allMatch(Character::isDigit)) {
      return switch (id) {
        case "ssh" -> 22;
        case "domain" -> 53;
        case "http" -> 80;
        case "https" -> 443;
        case "http-alt" -> 8080;
        default -> throw error("unknown port '" + id + "'");
      };
    }
    if (id.length() > 5 || Integer.parseInt(id) > 0xffff) {
      throw error("illegal port number " + id + " > 65535");
    }
    return Integer.parseInt(id);
  }

  private static Ipv4Address address(String id) {
    try {
      return Ipv4Address.parse(id);
    } catch (IllegalArgumentException e) {
      boolean numeric = id.chars().allMatch(c -> Character.isDigit(c) || c == '.');
      throw error(numeric ? "invalid IPv4 address '" + id + "'" : "unknown host '" + id + "'");
    }
  }

  /** {@code 10.42.0.0/16}, {@code 10.42.0.0 mask 255.255.0.0}, {@code 10.42}. */
  private Ipv4Prefix net(String id) {
    int slash = id.indexOf('/');
    String text = slash < 0 ? id : id.substring(0, slash);
    int octets = text.split("\\.", -1).length;
    Ipv4Address network = address(text + ".0".repeat(Math.max(0, 4 - octets)));
    int length = 8 * Math.min(octets, 4);
    if (slash >= 0) {
      length = number(id.substring(slash + 1));
      if (length < 0 || length > 32) {
        throw error("mask length must be <= 32");
      }
    } else if (take("mask")) {
      int mask = address(next()).value();
      length = Integer.bitCount(mask);
      if (Ipv4Prefix.mask(length) != mask) {
        throw error("mask " + Ipv4Address.format(mask) + " has holes: it must be a prefix's mask");
      }
    }
    Ipv4Prefix prefix = new Ipv4Prefix(network, length);
    if (!prefix.address().equals(network)) {
      throw error("non-network bits set in \"" + id + "\"");
    }
    return prefix;
  }

  private static Filter addresses(Qualifiers qualifiers, Ipv4Prefix prefix) {
    Filter byAddress =
        (p, _) -> {
          if (p.hasIpv4()) {
            return both(
                qualifiers.direction,
                prefix.contains(p.source()),
                prefix.contains(p.destination()));
          }
          return p.hasArp()
              && both(
                  qualifiers.direction,
                  prefix.contains(p.arpSender()),
                  prefix.contains(p.arpTarget()));
        };
    return ofProtocol(qualifiers.protocol).and(byAddress);
  }

  private static Filter ports(Qualifiers qualifiers, int from, int to) {
    if (!Set.of("", "ip", "tcp", "udp", "sctp").contains(qualifiers.protocol)) {
      throw error("illegal qualifier of 'port'");
    }
    Filter byPort =
        (p, _) ->
            p.hasPorts()
                && both(
                    qualifiers.direction,
                    p.sourcePort() >= from && p.sourcePort() <= to,
                    p.destinationPort() >= from && p.destinationPort() <= to);
    return ofProtocol(qualifiers.protocol).and(byPort);
  }

  private static Filter macs(Qualifiers qualifiers, String id) {
    MacAddress mac;
    try {
      mac = MacAddress.parse(id);
    } catch (IllegalArgumentException e) {
      throw error("only ethernet addresses may follow ether host, got '" + id + "'");
    }
    return (p, _) ->
        p.hasEthernet()
            && both(
                qualifiers.direction, p.sourceMac().equals(mac), p.destinationMac().equals(mac));
  }

  private static boolean both(Direction direction, boolean source, boolean destination) {
    return switch (direction) {
      case EITHER -> source || destination;
      case SOURCE -> source;
      case DESTINATION -> destination;
      case BOTH -> source && destination;
    };
  }

  // ---- proto[offset:size] & mask relation number

  private Filter relation() {
    String protocol = next();
    next();
    int offset = named(next());
    int size = 1;
    if (peek().startsWith(":")) {
      size = number(next().substring(1));
    } else if (tokens.get(at - 1).contains(":")) {
      String[] parts = tokens.get(at - 1).split(":", 2);
      offset = named(parts[0]);
      size = number(parts[1]);
    }
    if (!take("]") || offset < 0 || (size != 1 && size != 2 && size != 4)) {
      throw syntaxError();
    }
    int mask = -1;
    if (take("&")) {
      mask = value();
    }
    String operator = next();
    int wanted = value();
    int from = offset;
    int count = size;
    int bits = mask;
    ToIntFunction<Packet> base = base(protocol);
    return ofProtocol(protocol.equals("ether") ? "" : protocol)
        .and(
            (p, _) -> {
              int start = base.applyAsInt(p) + from;
              if (start + count > p.end()) {
                return false;
              }
              long read = count == 1 ? p.u8(start) : count == 2 ? p.u16(start) : p.u32(start);
              return compare(operator, read & bits & 0xffff_ffffL, wanted & 0xffff_ffffL);
            });
  }

  private static ToIntFunction<Packet> base(String protocol) {
    return switch (protocol) {
      case "ether" -> Packet::start;
      case "ip", "ip6", "arp" -> Packet::networkOffset;
      default -> Packet::transportOffset;
    };
  }

  private static int named(String text) {
    String name = text.contains(":") ? text.substring(0, text.indexOf(':')) : text;
    return switch (name) {
      case "tcpflags" -> 13;
      case "icmptype" -> 0;
      case "icmpcode" -> 1;
      default -> number(name);
    };
  }

  /** A number, a flag's name, or several of them or-ed in parentheses. */
  private int value() {
    if (take("(")) {
      int value = flag();
      while (take("|")) {
        value |= flag();
      }
      if (!take(")")) {
        throw syntaxError();
      }
      return value;
    }
    return flag();
  }

  private int flag() {
    String text = next();
    return switch (text) {
      case "tcp-fin" -> Packet.TCP_FIN;
      case "tcp-syn" -> Packet.TCP_SYN;
      case "tcp-rst" -> Packet.TCP_RST;
      case "tcp-push" -> Packet.TCP_PSH;
      case "tcp-ack" -> Packet.TCP_ACK;
      case "tcp-urg" -> Packet.TCP_URG;
      case "icmp-echoreply" -> 0;
      case "icmp-unreach" -> 3;
      case "icmp-echo" -> 8;
      case "icmp-timxceed" -> 11;
      default -> number(text);
    };
  }

  private static boolean compare(String operator, long left, long right) {
    return switch (operator) {
      case "=", "==" -> left == right;
      case "!=" -> left != right;
      case "<" -> left < right;
      case ">" -> left > right;
      case "<=" -> left <= right;
      case ">=" -> left >= right;
      default -> throw syntaxError();
    };
  }
}
