package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Tcp;
import dev.paramecium.packet.Udp;
import dev.paramecium.packet.Wire;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.function.Predicate;

/**
 * The one rule of iptables that Cilium installs for pods ({@code
 * pkg/datapath/iptables/iptables.go}), with the connection tracking that it rests on:
 *
 * <pre>
 *   -t nat -A CILIUM_POST_nat -s PODS ! -d EXCLUSION ! -o cilium_+ -j MASQUERADE
 *
 *   prerouting    answers to a masqueraded connection    to the pod again
 *   postrouting   first packet of a connection of a pod  from the device's address, which is remembered
 * </pre>
 *
 * Only a connection's first packet meets the rule, so what answers somebody outside leaves as it
 * is. A full table forgets what was not used lately.
 */
final class Masquerade {

  /** net.netfilter.nf_conntrack_max, two entries a connection. */
  private static final int MAX_ENTRIES = 1 << 17;

  // An entry: what becomes of packets with this key.
  private static final int ADDRESS = 0;
  private static final int PORT = 4;
  private static final int KIND = 6;
  private static final int EXPIRES = 8;
  private static final int VALUE_SIZE = 12;
  private static final int KEY_SIZE = 16;

  private static final int AS_IT_IS = 0;
  private static final int FROM = 1;
  private static final int TO = 2;

  // net.netfilter.nf_conntrack_*_timeout*, in seconds.
  private static final int TCP_ESTABLISHED = 432_000;
  private static final int TCP_TRANSIENT = 120;
  private static final int UDP_STREAM = 120;
  private static final int OTHERS = 30;

  private static final int FIRST_PORT = 1024;
  private static final int PORTS = 65536 - FIRST_PORT;

  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final Context context;
  private final Ipv4Prefix pods;
  private final Ipv4Prefix exclusion;
  private final Predicate<Tuple> isTaken;
  private final BpfHashMap flows =
      BpfHashMap.lru(0, "nf_conntrack", KEY_SIZE, VALUE_SIZE, MAX_ENTRIES);
  private final Tuple tuple = new Tuple();
  private final Tuple reply = new Tuple();
  private final Datagram quoted = new Datagram();
  private final byte[] value = new byte[VALUE_SIZE];

  /** The ends of a packet; of an echo the asker's port is its identifier. */
  static final class Tuple {
    int source;
    int destination;
    int sourcePort;
    int destinationPort;
    int protocol;

    private long k0() {
      return (long) source << 32 | destination & 0xffff_ffffL;
    }

    private long k1() {
      return (long) protocol << 32 | (long) sourcePort << 16 | destinationPort;
    }

    /** Whether it could be read: not of a later fragment, not of a protocol without ports. */
    private boolean read(Datagram of) {
      source = of.source;
      destination = of.destination;
      protocol = of.protocol;
      if (of.payloadLength < Integer.BYTES || of.fragmentOffset() != 0) {
        return false;
      }
      switch (protocol) {
        case IpProtocol.TCP, IpProtocol.UDP -> {
          sourcePort = Wire.u16(of.bytes, of.payloadAt);
          destinationPort = Wire.u16(of.bytes, of.payloadAt + 2);
          return true;
        }
        case IpProtocol.ICMP -> {
          int type = Wire.u8(of.bytes, of.payloadAt);
          if (of.payloadLength < Headers.ICMP || type != 8 && type != 0) {
            return false;
          }
          int identifier = Wire.u16(of.bytes, of.payloadAt + 4);
          sourcePort = type == 8 ? identifier : 0;
          destinationPort = type == 0 ? identifier : 0;
          return true;
        }
        default -> {
          return false;
        }
      }
    }

    private void setReplyOf(Tuple asked, int address, int port) {
      source = asked.destination;
      sourcePort = asked.destinationPort;
      destination = address;
      destinationPort = port;
      protocol = asked.protocol;
    }
  }

  /**
   * @param pods whose packets are masqueraded
   * @param exclusion destinations that see pods' own addresses
   * @param isTaken whether a socket of this host hears what would come back to a tuple's source
   */
  Masquerade(Context context, Ipv4Prefix pods, Ipv4Prefix exclusion, Predicate<Tuple> isTaken) {
    this.context = context;
    this.pods = pods;
    this.exclusion = exclusion;
    this.isTaken = isTaken;
  }

  // ---- PREROUTING

  /** Before it is known where a datagram goes: gives an answer back to the pod that asked. */
  void prerouting(Datagram in) {
    if (!tuple.read(in)) {
      if (in.protocol == IpProtocol.ICMP && in.payloadLength > Headers.ICMP) {
        translateError(in);
      }
      return;
    }
    int entry = find(tuple);
    if (entry >= 0 && flows.u8(entry, KIND) == TO) {
      touch(entry, in);
      int address = flows.i32(entry, ADDRESS);
      int port = flows.u16(entry, PORT);
      rewrite(in, 16, in.destination, address, 2, tuple.destinationPort, port);
      in.destination = address;
      in.translated = true;
    }
  }

  /** An error about a masqueraded packet is the pod's, and quotes the packet that it sent. */
  private void translateError(Datagram in) {
    int at = in.payloadAt + Headers.ICMP;
    if (!quoted.parseQuoted(in.bytes, at, in.payloadLength - Headers.ICMP) || !tuple.read(quoted)) {
      return;
    }
    reply.setReplyOf(tuple, tuple.source, tuple.sourcePort);
    int entry = find(reply);
    if (entry < 0 || flows.u8(entry, KIND) != TO) {
      return;
    }
    int address = flows.i32(entry, ADDRESS);
    Wire.setI32(quoted.bytes, quoted.at + 12, address);
    int portAt = quoted.protocol == IpProtocol.ICMP ? 4 : 0;
    Wire.setU16(quoted.bytes, quoted.payloadAt + portAt, flows.u16(entry, PORT));
    int header = quoted.at + 10;
    Wire.setU16(
        in.bytes, header, Checksum.replace32(Wire.u16(in.bytes, header), tuple.source, address));
    Wire.setU16(in.bytes, in.payloadAt + 2, 0);
    Wire.setU16(
        in.bytes,
        in.payloadAt + 2,
        Checksum.finish(Checksum.sum(in.bytes, in.payloadAt, in.payloadLength)));
    rewriteAddress(in, 16, in.destination, address);
    in.destination = address;
    in.translated = true;
  }

  // ---- POSTROUTING

  /**
   * On its way out.
   *
   * @return false if no port was free, and the datagram is dropped
   */
  boolean postrouting(Datagram out, NetDevice device) {
    if (out.translated || !tuple.read(out)) {
      return true;
    }
    int entry = find(tuple);
    if (entry < 0) {
      return track(out, device);
    }
    touch(entry, out);
    if (flows.u8(entry, KIND) == FROM) {
      rewriteSource(out, flows.i32(entry, ADDRESS), flows.u16(entry, PORT));
    }
    return true;
  }

  private boolean track(Datagram out, NetDevice device) {
    if (!isInside(out.source, pods)
        || isInside(out.destination, exclusion)
        || device.name().startsWith("cilium_")) {
      put(tuple, AS_IT_IS, 0, 0, out);
      reply.setReplyOf(tuple, tuple.source, tuple.sourcePort);
      put(reply, AS_IT_IS, 0, 0, out);
      return true;
    }
    int address = device.primaryAddress();
    int port = freePort(address);
    if (port < 0) {
      context.count(Counter.NF_NO_PORT);
      return false;
    }
    put(tuple, FROM, address, port, out);
    reply.setReplyOf(tuple, address, port);
    put(reply, TO, tuple.source, tuple.sourcePort, out);
    rewriteSource(out, address, port);
    return true;
  }

  private static boolean isInside(int address, Ipv4Prefix prefix) {
    return (address & Ipv4Prefix.mask(prefix.length())) == prefix.address().value();
  }

  /** The pod's own port if nobody else uses it towards the same end, else one by chance. */
  private int freePort(int address) {
    int port = tuple.sourcePort;
    int start = context.random.nextInt() & 0x7fff_ffff;
    for (int tried = 0; tried <= PORTS; tried++) {
      reply.setReplyOf(tuple, address, port);
      if (find(reply) < 0 && !isTaken.test(reply)) {
        return port;
      }
      port = FIRST_PORT + (start + tried) % PORTS;
    }
    return -1;
  }

  // ---- connections

  private int find(Tuple of) {
    int entry = flows.find(of.k0(), of.k1());
    return entry >= 0 && flows.i32(entry, EXPIRES) - nowSeconds() >= 0 ? entry : -1;
  }

  private int nowSeconds() {
    return (int) (context.now / Context.SECOND);
  }

  private void put(Tuple key, int kind, int address, int port, Datagram first) {
    I32.set(value, ADDRESS, address);
    I32.set(value, PORT, port | kind << 16);
    I32.set(value, EXPIRES, nowSeconds() + lifetime(first));
    flows.update(key.k0(), key.k1(), value, 0);
  }

  /** A packet in one direction keeps both alive: an answer is expected. */
  private void touch(int entry, Datagram by) {
    int expires = nowSeconds() + lifetime(by);
    flows.setI32(entry, EXPIRES, expires);
    if (flows.u8(entry, KIND) == AS_IT_IS) {
      reply.setReplyOf(tuple, tuple.source, tuple.sourcePort);
    } else if (flows.u8(entry, KIND) == FROM) {
      reply.setReplyOf(tuple, flows.i32(entry, ADDRESS), flows.u16(entry, PORT));
    } else {
      reply.source = flows.i32(entry, ADDRESS);
      reply.sourcePort = flows.u16(entry, PORT);
      reply.destination = tuple.source;
      reply.destinationPort = tuple.sourcePort;
      reply.protocol = tuple.protocol;
    }
    int other = flows.find(reply.k0(), reply.k1());
    if (other >= 0) {
      flows.setI32(other, EXPIRES, expires);
    }
  }

  private static int lifetime(Datagram of) {
    return switch (of.protocol) {
      case IpProtocol.TCP -> {
        int flags = of.payloadLength > Tcp.FLAGS ? Wire.u8(of.bytes, of.payloadAt + Tcp.FLAGS) : 0;
        yield (flags & (Tcp.SYN | Tcp.FIN | Tcp.RST)) != 0 ? TCP_TRANSIENT : TCP_ESTABLISHED;
      }
      case IpProtocol.UDP -> UDP_STREAM;
      default -> OTHERS;
    };
  }

  // ---- rewriting

  private void rewriteSource(Datagram out, int address, int port) {
    rewrite(out, 12, out.source, address, 0, tuple.sourcePort, port);
    out.source = address;
  }

  /**
   * @param addressAt of the address in the IPv4 header
   * @param portAt of the port behind it, for protocols that have ports
   */
  private void rewrite(
      Datagram datagram, int addressAt, int from, int to, int portAt, int fromPort, int toPort) {
    rewriteAddress(datagram, addressAt, from, to);
    byte[] bytes = datagram.bytes;
    int at = datagram.payloadAt;
    switch (datagram.protocol) {
      case IpProtocol.TCP -> rewriteL4(datagram, Tcp.CHECKSUM, from, to, portAt, fromPort, toPort);
      case IpProtocol.UDP -> rewriteL4(datagram, Udp.CHECKSUM, from, to, portAt, fromPort, toPort);
      default -> {
        Wire.setU16(bytes, at + 4, toPort);
        Wire.setU16(bytes, at + 2, Checksum.replace16(Wire.u16(bytes, at + 2), fromPort, toPort));
      }
    }
  }

  private static void rewriteAddress(Datagram datagram, int at, int from, int to) {
    byte[] bytes = datagram.bytes;
    int checksum = datagram.at + 10;
    Wire.setI32(bytes, datagram.at + at, to);
    Wire.setU16(bytes, checksum, Checksum.replace32(Wire.u16(bytes, checksum), from, to));
  }

  private static void rewriteL4(
      Datagram datagram,
      int checksumField,
      int from,
      int to,
      int portAt,
      int fromPort,
      int toPort) {
    boolean udp = datagram.protocol == IpProtocol.UDP;
    int checksum = datagram.payloadAt + checksumField;
    Wire.setU16(datagram.bytes, datagram.payloadAt + portAt, toPort);
    if (checksumField + 2 <= datagram.payloadLength) {
      Checksum.replaceL4(datagram.bytes, checksum, from, to, udp);
      Checksum.replaceL4Port(datagram.bytes, checksum, fromPort, toPort, udp);
    }
  }
}
