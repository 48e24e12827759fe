package dev.paramecium.inspect.tcpdump;

import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.packet.Packet;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.function.IntFunction;

/** A captured frame's line: number, time, device, packet, dump. Times are UTC, a node's zone. */
final class Lines {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter DATE_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final Options options;
  private final boolean cooked;
  private final IntFunction<String> deviceName;
  private final PacketPrinter printer;
  private long firstNs = -1;
  private long previousNs = -1;
  private int number;

  /**
   * @param cooked whether the capture is of all devices, so that lines name theirs
   */
  Lines(Options options, boolean cooked, IntFunction<String> deviceName) {
    this.options = options;
    this.cooked = cooked;
    this.deviceName = deviceName;
    this.printer =
        new PacketPrinter(
            new PacketPrinter.Style(
                options.numeric > 0,
                options.link,
                options.verbosity,
                options.quiet,
                options.absoluteSequence));
  }

  /** Without the newline at the end. */
  String format(long epochNs, KernelView.Frame frame, Packet packet) {
    number++;
    StringBuilder text = new StringBuilder();
    if (options.number) {
      text.append(String.format(Locale.ROOT, "%5d  ", number));
    }
    text.append(time(epochNs));
    if (cooked) {
      text.append(String.format(Locale.ROOT, "%-5s ", deviceName.apply(frame.ifindex())));
      text.append(
          switch (PcapFile.packetType(frame)) {
            case 1 -> "B   ";
            case 2 -> "M   ";
            case 4 -> "Out ";
            default -> "In  ";
          });
      if (options.link && packet.hasEthernet()) {
        text.append("ifindex ").append(frame.ifindex()).append(' ').append(packet.sourceMac());
        text.append(" ethertype ").append(PacketPrinter.etherType(packet.etherType()));
        text.append(", length ").append(frame.length() + 6).append(": ");
      }
      text.append(printer.network(packet, frame.length(), !options.link));
    } else {
      text.append(printer.frame(packet, frame.length()));
    }
    int network = Math.min(packet.networkOffset(), packet.end());
    if (options.text) {
      text.append(Payload.ascii(packet, network));
    } else if (options.ascii > 0) {
      text.append(Payload.hex(packet, options.ascii > 1 ? packet.start() : network, true));
    } else if (options.hex > 0) {
      text.append(Payload.hex(packet, options.hex > 1 ? packet.start() : network, false));
    }
    return text.toString();
  }

  private String time(long epochNs) {
    if (firstNs < 0) {
      firstNs = epochNs;
      previousNs = epochNs;
    }
    long sincePrevious = epochNs - previousNs;
    previousNs = epochNs;
    return switch (options.timeStyle) {
      case 0 -> TIME.format(instant(epochNs)) + " ";
      case 1 -> "";
      case 2 ->
          String.format(
              Locale.ROOT, "%d.%06d ", epochNs / 1_000_000_000L, epochNs % 1_000_000_000L / 1000);
      case 3 -> " " + TIME.format(instant(sincePrevious)) + " ";
      case 4 -> DATE_TIME.format(instant(epochNs)) + " ";
      default -> " " + TIME.format(instant(epochNs - firstNs)) + " ";
    };
  }

  private static Instant instant(long epochNs) {
    return Instant.ofEpochSecond(epochNs / 1_000_000_000L, epochNs % 1_000_000_000L);
  }
}
