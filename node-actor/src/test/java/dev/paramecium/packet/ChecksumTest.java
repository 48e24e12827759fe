package dev.paramecium.packet;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class ChecksumTest {

  /** RFC 1071's own words: add 16-bit words, bring the carries around. */
  private static int naive(byte[] bytes, int at, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += (bytes[at + i] & 0xff) << (i % 2 == 0 ? 8 : 0);
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return ~sum & 0xffff;
  }

  @Test
  void theExampleOfRfc1071() {
    byte[] bytes = {
      0x00, 0x01, (byte) 0xf2, 0x03, (byte) 0xf4, (byte) 0xf5, (byte) 0xf6, (byte) 0xf7
    };
    assertThat(Checksum.sum(bytes, 0, 8)).isEqualTo(0xddf2);
    assertThat(Checksum.finish(Checksum.sum(bytes, 0, 8))).isEqualTo(0x220d);
  }

  @Test
  void theExampleOfRfc1624() {
    // HC 0xdd2f, a field changes from 0x5555 to 0x3285: 0x0000, where RFC 1141 erred.
    assertThat(Checksum.replace16(0xdd2f, 0x5555, 0x3285)).isZero();
  }

  @Property
  void agreesWithTheDefinitionForEveryLengthAndPlace(
      @ForAll @Size(max = 70) byte[] bytes, @ForAll @IntRange(max = 9) int at) {
    int from = Math.min(at, bytes.length);
    int length = bytes.length - from;
    assertThat(Checksum.finish(Checksum.sum(bytes, from, length)))
        .isEqualTo(naive(bytes, from, length));
  }

  @Property
  void anUpdateAgreesWithAComputation(
      @ForAll @Size(value = 40) byte[] bytes,
      @ForAll @IntRange(min = 0, max = 18) int field,
      @ForAll int value) {
    bytes[0] = 1; // all zeros have two checksums
    int before = Checksum.finish(Checksum.sum(bytes, 0, 40));
    int at = 2 * field;
    int old16 = Wire.u16(bytes, at);
    Wire.setU16(bytes, at, value);
    bytes[0] |= 1;
    int after16 = Checksum.finish(Checksum.sum(bytes, 0, 40));
    assertThat(Checksum.replace16(before, old16, Wire.u16(bytes, at))).isEqualTo(after16);

    int old32 = Wire.i32(bytes, at);
    Wire.setI32(bytes, at, value);
    bytes[0] |= 1;
    assertThat(Checksum.replace32(after16, old32, Wire.i32(bytes, at)))
        .isEqualTo(Checksum.finish(Checksum.sum(bytes, 0, 40)));
  }

  @Test
  void anUdpChecksumOfNoneStaysNoneAndOneThatBecomesZeroIsMangled() {
    byte[] bytes = new byte[2];
    Checksum.replaceL4(bytes, 0, 1, 2, true);
    assertThat(Wire.u16(bytes, 0)).isZero();

    Wire.setU16(bytes, 0, 0xdd2f);
    Checksum.replaceL4Port(bytes, 0, 0x5555, 0x3285, true);
    assertThat(Wire.u16(bytes, 0)).isEqualTo(0xffff);

    Wire.setU16(bytes, 0, 0xdd2f);
    Checksum.replaceL4Port(bytes, 0, 0x5555, 0x3285, false);
    assertThat(Wire.u16(bytes, 0)).isZero();
  }

  @Test
  void bothDirectionsOfAFlowHashAlikeAndDifferentFlowsDiffer() {
    int one = FlowHash.of(0x0a2a0150, 0x0a2a0033, 6, 40009, 80);
    assertThat(FlowHash.of(0x0a2a0033, 0x0a2a0150, 6, 80, 40009)).isEqualTo(one);
    assertThat(FlowHash.of(0x0a2a0150, 0x0a2a0033, 6, 40010, 80)).isNotEqualTo(one);
    assertThat(FlowHash.of(0x0a2a0150, 0x0a2a0033, 17, 40009, 80)).isNotEqualTo(one);
  }

  @Test
  void theSourcePortsOfManyFlowsSpreadOverTheRange() {
    int[] buckets = new int[16];
    for (int flow = 0; flow < 16_000; flow++) {
      int port = FlowHash.sourcePort(FlowHash.of(0x0a2a0150, 0x0a2a0033, 6, flow, 80));
      buckets[(port - FlowHash.MIN_SOURCE_PORT) * 16 / 28_232]++;
    }
    for (int count : buckets) {
      assertThat(count).isBetween(850, 1150);
    }
  }
}
