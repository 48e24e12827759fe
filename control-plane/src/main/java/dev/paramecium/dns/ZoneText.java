package dev.paramecium.dns;

/** A zone as master-file text (RFC 1035, 5), all of whose records live equally long. */
public final class ZoneText {

  /** Where coredns reads its zone. */
  public static final String PATH = "/etc/coredns/cluster.zone";

  private final StringBuilder text = new StringBuilder();
  private final int ttl;

  /**
   * An empty zone.
   *
   * @param ttl of every record, seconds
   */
  public ZoneText(int ttl) {
    this.ttl = ttl;
  }

  /**
   * The record that a zone begins with.
   *
   * @param origin the zone's name, absolute
   * @param server its name server, absolute
   * @param mailbox of who is responsible, absolute
   */
  public void authority(String origin, String server, String mailbox, int serial) {
    String numbers = Integer.toUnsignedString(serial) + " 7200 1800 86400 " + ttl;
    line(origin, "SOA", server + " " + mailbox + " " + numbers);
    line(origin, "NS", server);
  }

  /** An address's name: its bytes in reverse below in-addr.arpa (RFC 1035, 3.5). */
  public void pointer(String address, String name) {
    String[] bytes = address.split("\\.", -1);
    line(
        bytes[3] + "." + bytes[2] + "." + bytes[1] + "." + bytes[0] + ".in-addr.arpa.",
        "PTR",
        name);
  }

  /** One record. */
  public void line(String name, String type, String data) {
    text.append(name)
        .append(' ')
        .append(ttl)
        .append(" IN ")
        .append(type)
        .append(' ')
        .append(data)
        .append('\n');
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
