package dev.paramecium.container.process.coreutils;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Run;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code kubectl cp} does to a container, and what a person asks of tar. */
final class TarTest {

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host from = network.host("from", 1, "busybox");
  private final VirtualNetwork.Host to = network.host("to", 2, "busybox");

  private static FileSystem files(VirtualNetwork.Host host) {
    return host.processes.files();
  }

  @Test
  void aTreeGoesOverInOneArchive() {
    byte[] big = new byte[300_000];
    new Random(7).nextBytes(big);
    files(from).write("/data/a.txt", "hello\n".getBytes());
    files(from).write("/data/deep/er/b.bin", big);
    Run create = from.run("tar", "cf", "-", "/data");
    assertThat(create.exitCode()).isZero();

    Run extract = to.startWithInput("tar", "-xmf", "-", "-C", "/tmp");
    extract.process.stdin(create.outBytes());
    extract.process.closeStdin();
    extract.await();

    assertThat(extract.exitCode()).isZero();
    assertThat(files(to).read("/tmp/data/a.txt")).asString().isEqualTo("hello\n");
    assertThat(files(to).read("/tmp/data/deep/er/b.bin")).isEqualTo(big);
  }

  @Test
  void aCompressedArchiveInAFileIsListedAndUnpacked() {
    files(from).write("/etc/one", "1".getBytes());
    assertThat(from.run("tar", "czf", "/tmp/a.tgz", "/etc/one").exitCode()).isZero();
    assertThat(from.run("tar", "-tzf", "/tmp/a.tgz").out()).isEqualTo("etc/one\n");
    assertThat(from.run("tar", "xzf", "/tmp/a.tgz", "-C", "/var").exitCode()).isZero();
    assertThat(files(from).read("/var/etc/one")).asString().isEqualTo("1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          tar cf - /nowhere   | tar: /nowhere: Cannot stat: No such file or directory
          tar xf /nowhere     | tar: /nowhere: Cannot open: No such file or directory
          tar cQf - /etc      | tar: invalid option -- 'Q'
          tar -f              | tar: option requires an argument -- 'f'
          tar vf -            | tar: You must specify one of the '-ctx' options
          """)
  void saysWhatIsWrong(String command, String message) {
    Run run = from.run(command.split(" "));
    assertThat(run.err()).isEqualTo(message + "\n");
    assertThat(run.exitCode()).isEqualTo(2);
  }

  @Test
  void whatIsNoArchiveIsAnError() {
    files(from).write("/tmp/x", new byte[2000]);
    files(from).write("/tmp/y", "not an archive, but longer than nothing".repeat(40).getBytes());
    assertThat(from.run("tar", "tf", "/tmp/x").exitCode()).isZero();
    Run garbage = from.run("tar", "xf", "/tmp/y");
    assertThat(garbage.exitCode()).isEqualTo(2);
    assertThat(garbage.err()).startsWith("tar: ");
  }

  @Test
  void testIsAProgramToo() {
    assertThat(from.run("test", "-d", "/tmp").exitCode()).isZero();
    assertThat(from.run("test", "-d", "/etc/hosts").exitCode()).isEqualTo(1);
    assertThat(from.run("[", "a", "=", "a", "]").exitCode()).isZero();
    assertThat(from.run("[", "a", "=", "a").err()).isEqualTo("[: [: missing ]\n");
  }
}
