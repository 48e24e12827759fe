package dev.paramecium.abi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Expected texts follow from the rules of Go's text/tabwriter. */
class TabWriterTest {

  @Test
  void padsEachColumnToItsWidestCell() {
    assertThat(
            new TabWriter()
                .row("Key", "Value", "State", "Error")
                .row("10.42.0.51/32", "identity=15773", "sync", "")
                .toString())
        .isEqualTo(
            """
            Key             Value            State   Error
            10.42.0.51/32   identity=15773   sync   \s
            """);
  }

  @Test
  void givesANarrowColumnTheMinimumWidth() {
    assertThat(new TabWriter().row("a", "b").toString()).isEqualTo("a    b\n");
    assertThat(new TabWriter(2, 3).row("1", "reserved:host").toString())
        .isEqualTo("1   reserved:host\n");
  }

  @Test
  void doesNotLetTheTextAfterTheLastTabWidenAColumn() {
    assertThat(new TabWriter().line("a title that is long").row("x", "y").toString())
        .isEqualTo("a title that is long\nx    y\n");
  }

  @Test
  void endsAColumnAtALineThatHasNoSuchCell() {
    assertThat(
            new TabWriter(0, 1)
                .line("aaaa\tbbb\tc")
                .line("a\tb\tc")
                .line("none")
                .line("aa\tb\tc")
                .toString())
        .isEqualTo("aaaa bbb c\na    b   c\nnone\naa b c\n");
  }

  @Test
  void alignsAnInnerColumnOnlyOverTheLinesThatHaveIt() {
    assertThat(new TabWriter(0, 1).line("a\tbbbb\tc").line("aaa\tb").line("a\tb\tc").toString())
        .isEqualTo("a   bbbb c\naaa b\na   b c\n");
  }

  @Test
  void keepsEmptyCells() {
    assertThat(new TabWriter().row("", "IPv4").row("7", "10.0.0.1").toString())
        .isEqualTo("     IPv4\n7    10.0.0.1\n");
  }
}
