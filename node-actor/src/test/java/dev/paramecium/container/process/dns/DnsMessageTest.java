package dev.paramecium.container.process.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.dns.DnsMessage.Question;
import dev.paramecium.container.process.dns.DnsRecord.Data;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class DnsMessageTest {

  /** What dig sends for {@code a.example} and gets, with the pointer of RFC 1035, 4.1.4. */
  @Test
  void hasTheBytesOfTheWire() {
    byte[] query = DnsMessage.query(0x1234, "a.example", DnsRecord.A).encode();
    assertThat(HexFormat.of().formatHex(query))
        .isEqualTo("123401000001000000000000" + "0161076578616d706c6500" + "00010001");

    DnsMessage answer =
        Objects.requireNonNull(DnsMessage.parse(query))
            .answer(
                DnsMessage.NOERROR,
                true,
                List.of(record("a.example", new Data.Address(Ipv4Address.parse("10.0.0.7")))),
                List.of());
    assertThat(HexFormat.of().formatHex(answer.encode()))
        .isEqualTo(
            "123485000001000100000000"
                + "0161076578616d706c6500"
                + "00010001"
                + "c00c"
                + "000100010000001e00040a000007");
  }

  @Test
  void readsWhatEdnsSaysOfTheClient() {
    // dig +bufsize=1232: an OPT record of the root, whose class is the size.
    byte[] query =
        HexFormat.of()
            .parseHex(
                "123401200001000000000001" + "016100" + "00010001" + "00002904d000000000" + "0000");
    assertThat(Objects.requireNonNull(DnsMessage.parse(query)).udpSize()).isEqualTo(1232);
  }

  @Test
  void endsWhereAPointerLeadsNowhere() {
    byte[] loop = HexFormat.of().parseHex("123401000001000000000000" + "c00c" + "00010001");
    assertThat(DnsMessage.parse(loop)).isNull();
  }

  private static DnsRecord record(String name, Data data) {
    return new DnsRecord(name, 30, data);
  }

  @Property(tries = 1000)
  void noBytesCrashTheReader(@ForAll byte[] bytes) {
    DnsMessage message = DnsMessage.parse(bytes);
    assertThat(message == null || message.questions().size() * 5 <= bytes.length).isTrue();
  }

  @Property(tries = 500)
  void readsWhatItWrites(@ForAll("messages") DnsMessage message) {
    assertThat(DnsMessage.parse(message.encode())).isEqualTo(message);
  }

  @Provide
  Arbitrary<DnsMessage> messages() {
    Arbitrary<String> label =
        Arbitraries.strings().withCharRange('a', 'z').numeric().ofMinLength(1).ofMaxLength(12);
    Arbitrary<String> name = label.list().ofMinSize(1).ofMaxSize(5).map(l -> String.join(".", l));
    Arbitrary<Integer> port = Arbitraries.integers().between(0, 65535);
    Arbitrary<Data> data =
        Arbitraries.oneOf(
            Arbitraries.integers().map(value -> new Data.Address(new Ipv4Address(value))),
            name.map(target -> new Data.Pointer(DnsRecord.CNAME, target)),
            name.map(target -> new Data.Pointer(DnsRecord.PTR, target)),
            Combinators.combine(port, port, port, name).as(Data.Service::new),
            Combinators.combine(name, name, Arbitraries.integers())
                .as((a, b, n) -> new Data.Authority(a, b, n, 7200, 1800, 86400, 30)),
            Arbitraries.bytes()
                .array(byte[].class)
                .ofMaxSize(40)
                .map(bytes -> new Data.Opaque(DnsRecord.TXT, bytes)));
    Arbitrary<List<DnsRecord>> records =
        Combinators.combine(name, data).as(DnsMessageTest::record).list().ofMaxSize(6);
    return Combinators.combine(port, name, records, records, records)
        .as(
            (id, asked, answers, authority, additional) ->
                new DnsMessage(
                    id,
                    true,
                    0,
                    true,
                    false,
                    true,
                    false,
                    DnsMessage.NOERROR,
                    id % 2 == 0 ? 512 : 1232,
                    List.of(new Question(asked, DnsRecord.A, DnsMessage.CLASS_IN)),
                    answers,
                    authority,
                    additional));
  }
}
