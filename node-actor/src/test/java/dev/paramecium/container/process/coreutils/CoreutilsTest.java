package dev.paramecium.container.process.coreutils;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CoreutilsTest {

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host host = network.host("box", 1, "busybox");

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "1.5, 1.5",
    ".5, 0.5",
    "2s, 2",
    "3m, 180",
    "1h, 3600",
    "365d, 31536000",
    "infinity, Infinity",
    "x, NaN",
    "-1, NaN",
    "1w, NaN",
    "d, NaN",
    "'', NaN",
  })
  void sleepReadsIntervals(String text, Double seconds) {
    assertThat(Sleep.seconds(text)).isEqualTo(seconds);
  }

  @Test
  void sleepRefusesWhatIsNoInterval() {
    Run run = host.run("sleep", "soon");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).isEqualTo("sleep: invalid number 'soon'\n");
  }

  @Test
  void sleepForAYearEndsByASignal() {
    Run run = host.start("sleep", "365d");
    network.pass(86_400_000);
    assertThat(run.exitCode).isNull();
    run.process.signal(15);

    assertThat(run.exitCode()).isEqualTo(143);
    assertThat(network.step()).as("no timer is left").isFalse();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          hostname                  | box
          hostname -i               | 10.0.0.1
          id -u                     | 0
          pwd                       | /
          whoami                    | root
          uname                     | Linux
          date                      | Mon Jan  9 19:29:52 UTC 2023
          date +%F_%T               | 2023-01-09_19:29:52
          date +%s                  | 1673292592
          seq 3                     | 1 2 3
          seq 10 -5 0               | 10 5 0
          printf %s-%03d\\n a 7     | a-007
          printenv HOSTNAME         | box
          which curl nosuch         | /usr/bin/curl
          ls /etc                   | hosts
          head -c 3 /etc/hosts      | 10.
          grep -c server /etc/hosts | 1
          wc -l /etc/hosts          | 1 /etc/hosts
          md5sum /dev/null          | d41d8cd98f00b204e9800998ecf8427e  /dev/null
          """)
  void printAsThePersonKnowsThem(String command, String expected) {
    Run run = host.run(command.replace("\\\\n", "\\n").split(" +"));

    assertThat(run.out().strip().replace("\n", " ")).isEqualTo(expected);
  }

  @Test
  void aMissingFileIsNamed() {
    Run run = host.run("cat", "/etc/hosts", "/no/such");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.out()).isEqualTo("10.0.0.2 server\n");
    assertThat(run.err()).isEqualTo("cat: /no/such: No such file or directory\n");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          mkdir /w && ls /w; echo $?                            | 0
          mkdir /w/a 2> /dev/null; echo $?                      | 1
          mkdir -p /w/a/b && mkdir /w/a/c && ls /w/a            | b c
          mkdir -p /w /w && test -d /w && echo yes              | yes
          mkdir /etc                                            | mkdir: can't create directory '/etc': File exists
          mkdir /no/such                                        | mkdir: can't create directory '/no/such': No such file or directory
          mkdir -p /w/a; echo x > /w/a/f; rm /w/a               | rm: '/w/a' is a directory
          mkdir -p /w/a; echo x > /w/a/f; rm -r /w; ls /w       | ls: /w: No such file or directory
          mkdir -p /w/a; rmdir /w                               | rmdir: '/w': Directory not empty
          mkdir -p /w/a; rmdir /w/a /w; ls /w                   | ls: /w: No such file or directory
          kill 99999                                            | kill: can't kill pid 99999: No such process
          kill -NO 1                                            | kill: bad signal name 'NO'
          """)
  void directoriesAndProcessesComeAndGo(String script, String expected) {
    Run run = host.run("sh", "-c", script);

    assertThat((run.out() + run.err()).strip().replace("\n", " ")).endsWith(expected);
  }

  @Test
  void aFullFileSystemIsToldAndKeepsItsLimit() {
    Run run = host.run("dd", "if=/dev/zero", "of=/tmp/big", "bs=1M", "count=20");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("dd: error writing '/tmp/big': No space left on device");
    assertThat(host.processes.files().read("/tmp/big").length).isLessThanOrEqualTo(16 << 20);
  }
}
