package dev.paramecium.inspect.tcpdump;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.inspect.Frames;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.packet.Packet;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class PacketPrinterTest {

  private static final List<byte[]> FRAMES =
      List.of(
          Frames.SYN,
          Frames.HTTP_REQUEST,
          Frames.SACK,
          Frames.PORT_UNREACHABLE,
          Frames.ARP_REPLY,
          Frames.VXLAN,
          Frames.DNS_QUERY);

  @Provide
  Arbitrary<byte[]> frames() {
    return Arbitraries.of(FRAMES);
  }

  /** A capture may be cut anywhere, and a sender may write anything into any byte. */
  @Property(tries = 2000)
  void printsAnyFrameHoweverCutOrDamaged(
      @ForAll("frames") byte[] frame,
      @ForAll @IntRange(max = 130) int length,
      @ForAll @IntRange(max = 129) int damagedAt,
      @ForAll byte damage) {
    byte[] bytes = Arrays.copyOf(frame, Math.min(length, frame.length));
    if (damagedAt < bytes.length) {
      bytes[damagedAt] = damage;
    }
    Options options = Options.parse(List.of("-e", "-vv", "-XX"));
    Lines lines = new Lines(options, false, Integer::toString);
    String line =
        lines.format(0, new KernelView.Frame(0, 1, false, bytes, frame.length), new Packet(bytes));
    assertThat(line).startsWith("00:00:00.000000 ");
  }
}
