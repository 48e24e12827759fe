package dev.paramecium.container.process.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Run;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ShellTest {

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host host = network.host("box", 1, "busybox");

  private Run sh(String script) {
    return host.run("sh", "-c", script);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          echo hello world                                        | hello world
          echo 'a  b' "c  d"                                      | a  b c  d
          x=5; echo $x ${x} "$x" '$x'                             | 5 5 5 $x
          echo a; echo b                                          | a/b
          true && echo yes ~pipe~~pipe~ echo no                           | yes
          false && echo yes ~pipe~~pipe~ echo no                          | no
          false; echo $?                                          | 1
          ! true; echo $?                                         | 1
          for i in 1 2 3; do echo n$i; done                       | n1/n2/n3
          for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done | 1/3
          for i in 1 2 3; do if [ $i -eq 2 ]; then break; fi; echo $i; done | 1
          i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done   | 1/2/3
          until true; do echo x; done; echo end                   | end
          if false; then echo a; elif true; then echo b; else echo c; fi | b
          printf 'b\\na\\n' ~pipe~ sort ~pipe~ head -n 1           | a
          seq 1 5 ~pipe~ wc -l                                    | 5
          seq 1 100000 ~pipe~ tail -n 1                           | 100000
          for i in a b; do echo $i; done ~pipe~ cat               | a/b
          echo $(echo sub; echo two)                              | sub two
          x=`echo back`; echo $x                                  | back
          echo ${undefined:-default} ${undefined:+alt}.           | default .
          (x=1; echo $x); echo .$x                                | 1/.
          { echo a; echo b; } ~pipe~ wc -l                        | 2
          echo hidden > /dev/null; echo shown                     | shown
          echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f       | one/two
          wc -c < /etc/hosts                                      | 16
          nosuch 2>/dev/null; echo $?                             | 127
          nosuch 2>&1                                             | sh: nosuch: not found
          echo err >&2                                            | ''
          printf 'x y\\nz\\n' ~pipe~ while read a b; do echo $b-$a; done | y-x/-z
          set -- p q; echo $# $1 $2; shift; echo $1               | 2 p q/q
          FOO=bar env ~pipe~ grep FOO                             | FOO=bar
          export A=1; env ~pipe~ grep ^A=                         | A=1
          eval 'echo evaluated'                                   | evaluated
          sleep 1 & wait; echo done                               | done
          echo a;# comment                                        | a
          test -f /etc/hosts && echo there                        | there
          """)
  void printsWhatTheScriptSays(String script, String expected) {
    Run run = sh(script.replace("~pipe~", "|").replace("\\\\n", "\\n"));

    assertThat(run.out().strip().replace("\n", "/"))
        .isEqualTo(expected.equals("''") ? "" : expected);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          exit 3            | 3
          false             | 1
          nosuch            | 127
          sh -c 'exit 9'    | 9
          set -e; false; true | 1
          for i in 1; do exit 4; done | 4
          if true; then     | 2
          done              | 2
          (exit 5)          | 5
          """)
  void exitsWithTheCodeOfTheLastCommand(String script, int code) {
    assertThat(sh(script).exitCode()).isEqualTo(code);
  }

  @Test
  void anEndlessWriterEndsWithItsReader() {
    Run run = sh("while true; do echo y; done | head -n 2; echo after");

    assertThat(run.out()).isEqualTo("y\ny\nafter\n");
  }

  @Test
  void anEndlessLoopLetsOthersRunAndDiesByASignal() {
    Run loop = host.start("sh", "-c", "while :; do :; done");
    Run other = host.run("echo", "alive");
    network.step();

    assertThat(other.out()).isEqualTo("alive\n");
    assertThat(loop.exitCode).isNull();
    loop.process.signal(15);
    network.pass(1);
    assertThat(loop.exitCode()).isEqualTo(143);
  }

  @Test
  void sleepsInVirtualTime() {
    long before = network.clock.nanos();

    sh("sleep 1.5; sleep 1m");

    assertThat((network.clock.nanos() - before) / 1_000_000).isBetween(61_500L, 61_501L);
  }

  @Test
  void readsCommandsFromStdin() {
    Run run = host.startWithInput("sh");
    run.process.stdin("echo one\nfor i in a b\ndo echo $i\n".getBytes(StandardCharsets.UTF_8));
    run.process.stdin("done\nsleep 1\nexit 7\n".getBytes(StandardCharsets.UTF_8));

    assertThat(run.await().exitCode()).isEqualTo(7);
    assertThat(run.out()).isEqualTo("one\na\nb\n");
  }

  @Test
  void passesStdinThroughAPipeline() {
    Run run = host.startWithInput("sh", "-c", "cat | wc -c");
    for (int i = 0; i < 100; i++) {
      run.process.stdin(new byte[10_000]);
    }
    run.process.closeStdin();

    assertThat(run.await().out()).isEqualTo("1000000\n");
  }

  @Test
  void hashesMoreThanATurnOfZeros() {
    Run run = sh("head -c 16M /dev/zero | sha256sum");

    assertThat(run.out())
        .isEqualTo("080acf35a507ac9849cfcba47dc2ad83e01b75663a516279c8b9d243b719643e  -\n");
  }
}
