package dev.paramecium.inspect.tcpdump;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.EventQueue;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.packet.Packet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A running capture, until it has seen enough frames or is interrupted. */
final class Capture implements Process {

  /** Frames that wait for the printer; what does not fit is dropped by the kernel. */
  private static final int QUEUE = 4096;

  private static final int CHUNK = 16 << 10;

  private final ProcessContext process;
  private final Options options;
  private final Filter filter;
  private final boolean cooked;
  private final @Nullable OutputStream file;
  private final Lines lines;
  private final EventQueue<KernelView.Frame> frames;
  private final KernelView.Subscription tap;

  /** What to add to a frame's time since boot to get wall clock. */
  private final long bootEpochNs;

  private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
  private boolean waiting;
  private boolean ended;
  private int captured;

  private Capture(
      KernelView kernel,
      Options options,
      KernelView.@Nullable Link link,
      Filter filter,
      @Nullable OutputStream file,
      ProcessContext process) {
    this.process = process;
    this.options = options;
    this.filter = filter;
    this.file = file;
    this.cooked = link == null;
    this.bootEpochNs = kernel.clock().epochMs() * 1_000_000L - kernel.clock().nanos();
    this.lines =
        new Lines(
            options,
            cooked,
            ifindex ->
                kernel.links().stream()
                    .filter(l -> l.info().ifindex() == ifindex)
                    .map(l -> l.info().name())
                    .findFirst()
                    .orElse(Integer.toString(ifindex)));
    this.frames = new EventQueue<>(QUEUE, process.executor(), this::read);
    int ifindex = link == null ? 0 : link.info().ifindex();
    this.tap = kernel.openPacketTap(ifindex, options.snapLength, frames);
  }

  static Process start(
      KernelView kernel,
      Options options,
      KernelView.@Nullable Link link,
      Filter filter,
      @Nullable OutputStream file,
      ProcessContext process) {
    Capture capture = new Capture(kernel, options, link, filter, file, process);
    process.printError(announcement(options, link));
    if (!options.write.isEmpty()) {
      int linkType = link == null ? PcapFile.LINKTYPE_LINUX_SLL2 : PcapFile.LINKTYPE_ETHERNET;
      capture.pending.writeBytes(PcapFile.header(options.snapLength, linkType));
      capture.flush();
    }
    return capture;
  }

  private static String announcement(Options options, KernelView.@Nullable Link link) {
    String listening =
        "listening on "
            + (link == null ? "any" : link.info().name())
            + ", link-type "
            + (link == null ? "LINUX_SLL2 (Linux cooked v2)" : "EN10MB (Ethernet)")
            + ", snapshot length "
            + options.snapLength
            + " bytes\n";
    String any = link == null ? "tcpdump: data link type LINUX_SLL2\n" : "";
    return any
        + (options.verbosity > 0 || !options.write.isEmpty()
            ? "tcpdump: " + listening
            : "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n"
                + listening);
  }

  private void read() {
    while (!waiting && !ended) {
      KernelView.Frame frame = frames.poll();
      if (frame == null) {
        flush();
        return;
      }
      if (wanted(frame)) {
        take(frame);
      }
      if (options.count > 0 && captured == options.count) {
        flush();
        finish();
      } else if (pending.size() >= CHUNK) {
        flush();
      }
    }
  }

  private boolean wanted(KernelView.Frame frame) {
    boolean direction =
        switch (options.direction) {
          case "in" -> !frame.outgoing();
          case "out" -> frame.outgoing();
          default -> true;
        };
    return direction && filter.matches(new Packet(frame.bytes()), frame.length());
  }

  private void take(KernelView.Frame frame) {
    captured++;
    long epochNs = bootEpochNs + frame.timestampNs();
    if (options.write.isEmpty()) {
      String line = lines.format(epochNs, frame, new Packet(frame.bytes())) + "\n";
      pending.writeBytes(line.getBytes(StandardCharsets.UTF_8));
    } else {
      pending.writeBytes(PcapFile.record(epochNs, frame, cooked));
    }
  }

  /** Hands on what is printed so far; a file takes it at once, a reader may ask to wait. */
  private void flush() {
    if (pending.size() == 0) {
      return;
    }
    byte[] bytes = pending.toByteArray();
    pending.reset();
    if (file == null) {
      waiting = !process.stdout(bytes);
      return;
    }
    try {
      file.write(bytes);
      file.flush();
    } catch (IOException e) {
      process.printError("tcpdump: " + options.write + ": " + e.getMessage() + "\n");
      close();
      process.exit(1);
    }
  }

  private void close() {
    ended = true;
    tap.close();
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        process.printError("tcpdump: " + options.write + ": " + e.getMessage() + "\n");
      }
    }
  }

  private void finish() {
    if (ended) {
      return;
    }
    close();
    long lost = frames.lost();
    process.printError(
        count(captured, "captured")
            + count(captured + lost, "received by filter")
            + count(lost, "dropped by kernel"));
    process.exit(0);
  }

  private static String count(long number, String what) {
    return number + " packet" + (number == 1 ? " " : "s ") + what + "\n";
  }

  @Override
  public void outputDrained() {
    waiting = false;
    read();
  }

  @Override
  public void signal(int number) {
    if (ended) {
      return;
    }
    if (number == 9) {
      close();
      process.exit(137);
      return;
    }
    drain();
    finish();
  }

  /** What was captured before the interrupt is still printed. */
  private void drain() {
    KernelView.Frame frame = frames.poll();
    while (frame != null && (options.count == 0 || captured < options.count)) {
      if (wanted(frame)) {
        take(frame);
      }
      frame = frames.poll();
    }
    flush();
  }
}
