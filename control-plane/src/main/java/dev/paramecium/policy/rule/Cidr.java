package dev.paramecium.policy.rule;

import dev.paramecium.abi.Ipv4Address;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An address block of IPv4 or IPv6, masked.
 *
 * @param bits 32 or 128
 * @param address as an unsigned number, host bits zero
 * @param length of the prefix, 0 to {@code bits}
 */
public record Cidr(int bits, BigInteger address, int length) {

  private static final Comparator<Cidr> LARGEST_FIRST =
      Comparator.comparingInt(Cidr::length).thenComparing(Cidr::address);

  public Cidr {
    if (length < 0 || length > bits) {
      throw new IllegalArgumentException("prefix length " + length + " of " + bits + " bits");
    }
    int host = bits - length;
    address = address.shiftRight(host).shiftLeft(host);
  }

  /** Reads {@code 10.0.0.0/8}; null if it is not an address, a slash and a length in range. */
  public static @Nullable Cidr parse(String text) {
    int slash = text.indexOf('/');
    byte[] address = slash < 0 ? null : bytes(text.substring(0, slash));
    if (address == null || !text.substring(slash + 1).matches("[0-9]{1,3}")) {
      return null;
    }
    int length = Integer.parseInt(text.substring(slash + 1));
    int bits = address.length * 8;
    return length > bits ? null : new Cidr(bits, new BigInteger(1, address), length);
  }

  /** The block of one address alone. */
  public static Cidr ofAddress(Ipv4Address address) {
    return new Cidr(32, BigInteger.valueOf(Integer.toUnsignedLong(address.value())), 32);
  }

  /** Reads a block, or an address as the block of it alone; null if it is neither. */
  public static @Nullable Cidr parseBlockOrAddress(String text) {
    Cidr block = parse(text);
    if (block != null) {
      return block;
    }
    byte[] address = bytes(text);
    return address == null
        ? null
        : new Cidr(address.length * 8, new BigInteger(1, address), address.length * 8);
  }

  /** The bytes of a literal address, 4 or 16; null if it is none. Never asks a resolver. */
  private static byte @Nullable [] bytes(String literal) {
    boolean ipv6 = literal.indexOf(':') >= 0;
    if (ipv6 ? !literal.matches("[0-9a-fA-F:.]+") : !isDottedQuad(literal)) {
      return null;
    }
    try {
      byte[] bytes = InetAddress.getByName(ipv6 ? "[" + literal + "]" : literal).getAddress();
      return ipv6 && bytes.length == 4 ? null : bytes;
    } catch (UnknownHostException e) {
      return null;
    }
  }

  /** Four decimal numbers up to 255 without leading zeros, as Go reads them. */
  private static boolean isDottedQuad(String literal) {
    String[] parts = literal.split("\\.", -1);
    if (parts.length != 4) {
      return false;
    }
    for (String part : parts) {
      if (!part.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(part) > 255) {
        return false;
      }
    }
    return true;
  }

  public boolean contains(Cidr other) {
    return bits == other.bits
        && length <= other.length
        && new Cidr(bits, other.address, length).address.equals(address);
  }

  /** Whether it is all of IPv4 or all of IPv6. */
  public boolean isAll() {
    return length == 0;
  }

  /**
   * The fewest blocks that cover {@code from} without {@code except} (Cilium {@code
   * ip.RemoveCIDRs}).
   */
  public static List<Cidr> subtract(Cidr from, List<Cidr> except) {
    List<Cidr> kept = List.of(from);
    for (Cidr hole : except.stream().sorted(LARGEST_FIRST).toList()) {
      List<Cidr> next = new ArrayList<>();
      for (Cidr block : kept) {
        if (block.contains(hole)) {
          block.splitAround(hole, next);
        } else if (!hole.contains(block)) {
          next.add(block);
        }
      }
      kept = next;
    }
    return kept;
  }

  /**
   * What is left of this block without {@code hole}, which lies in it: one sibling for each bit.
   */
  private void splitAround(Cidr hole, List<Cidr> out) {
    for (int prefix = length + 1; prefix <= hole.length; prefix++) {
      out.add(new Cidr(bits, hole.address.flipBit(bits - prefix), prefix));
    }
  }

  /** {@code cidr:10.0.0.0/8}; of IPv6 with dashes for colons (Cilium {@code pkg/labels/cidr}). */
  public Label label() {
    String text = text(address, bits);
    if (bits == 128) {
      text = text.startsWith(":") ? "0" + text : text;
      text = text.endsWith(":") ? text + "0" : text;
      text = text.replace(':', '-');
    }
    return new Label(Label.CIDR, text + "/" + length, "");
  }

  /**
   * The labels of the identity that stands for this block: its own, those of every block around it,
   * and {@code reserved:world} (Cilium {@code GetCIDRLabels}).
   */
  public LabelSet identityLabels() {
    List<Label> labels = new ArrayList<>();
    labels.add(Label.reserved("world"));
    if (length > 0) {
      for (int prefix = 0; prefix <= length; prefix++) {
        labels.add(new Cidr(bits, address, prefix).label());
      }
    }
    return new LabelSet(labels);
  }

  private static String text(BigInteger address, int bits) {
    byte[] raw = address.toByteArray();
    byte[] bytes = new byte[bits / 8];
    int count = Math.min(raw.length, bytes.length);
    System.arraycopy(raw, raw.length - count, bytes, bytes.length - count, count);
    return bits == 32
        ? (bytes[0] & 255)
            + "."
            + (bytes[1] & 255)
            + "."
            + (bytes[2] & 255)
            + "."
            + (bytes[3] & 255)
        : Ipv6Text.of(bytes);
  }

  @Override
  public String toString() {
    return text(address, bits) + "/" + length;
  }
}
