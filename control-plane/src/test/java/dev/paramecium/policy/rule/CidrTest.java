package dev.paramecium.policy.rule;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CidrTest {

  @Test
  void hostBitsAreCleared() {
    assertThat(Cidr.parse("10.1.2.3/8")).hasToString("10.0.0.0/8");
    assertThat(Cidr.parse("2001:DB8:0:0::1/32")).hasToString("2001:db8::/32");
    assertThat(Cidr.parseBlockOrAddress("192.0.2.1")).hasToString("192.0.2.1/32");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0/8",
        "10.0.0.256/8",
        "010.0.0.0/8",
        "10.0.0.0/-1",
        "::/129",
        "host/8",
        "::ffff:1.2.3.4/x"
      })
  void whatIsNoBlockIsRefused(String text) {
    assertThat(Cidr.parse(text)).isNull();
  }

  @Test
  void exceptionsLeaveOneSiblingForEachBit() {
    assertThat(new CidrRule("10.0.0.0/8", List.of("10.96.0.0/12")).blocks())
        .extracting(Cidr::toString)
        .containsExactlyInAnyOrder("10.128.0.0/9", "10.0.0.0/10", "10.64.0.0/11", "10.112.0.0/12");
    assertThat(new CidrRule("10.0.0.0/8", List.of("10.0.0.0/8")).blocks()).isEmpty();
  }

  @Test
  void labelsNameEveryBlockAround() {
    assertThat(Cidr.parse("128.0.0.0/2").identityLabels().labels())
        .extracting(Label::toString)
        .containsExactlyInAnyOrder(
            "cidr:0.0.0.0/0", "cidr:128.0.0.0/1", "cidr:128.0.0.0/2", "reserved:world");
    assertThat(Cidr.parse("0.0.0.0/0").identityLabels().labels())
        .extracting(Label::toString)
        .containsExactly("reserved:world");
    assertThat(Cidr.parse("2001:db8::/32").label()).hasToString("cidr:2001-db8--0/32");
    assertThat(Cidr.parse("::1/128").label()).hasToString("cidr:0--1/128");
  }

  /** Whatever is cut out: an address is left exactly if the block has it and no hole does. */
  @Property
  void subtractionKeepsExactlyWhatNoHoleHas(
      @ForAll @IntRange(min = 0, max = 8) int length,
      @ForAll List<@IntRange(min = 0, max = 0x8ff) Integer> holes,
      @ForAll @IntRange(min = 0, max = 255) int address) {
    Cidr block = small(0x5a, length);
    List<Cidr> except = holes.stream().map(hole -> small(hole & 0xff, hole >> 8)).toList();
    Cidr probe = small(address, 8);
    boolean wanted =
        block.contains(probe) && except.stream().noneMatch(hole -> hole.contains(probe));
    List<Cidr> left = Cidr.subtract(block, except);
    assertThat(left.stream().filter(kept -> kept.contains(probe)).count())
        .isEqualTo(wanted ? 1 : 0);
  }

  /** Blocks of 192.0.2.0/24, by their last byte. */
  private static Cidr small(int last, int length) {
    return new Cidr(32, BigInteger.valueOf(0xc0000200L | last), 24 + length);
  }
}
