package dev.paramecium.inspect;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Hands a command's output on as fast as the reader takes it, from when there is one. */
final class ToolProcess implements Process {

  private static final int CHUNK = 32 << 10;

  private final ProcessContext process;
  private @Nullable ToolOutput output;
  private int exitCode;
  private int run;
  private byte[] bytes = {};
  private int at;

  private ToolProcess(ProcessContext process) {
    this.process = process;
  }

  /** A command that prints later. */
  static ToolProcess waiting(ProcessContext process) {
    return new ToolProcess(process);
  }

  /** Runs a {@link Tool} at once. */
  static Process start(Tool tool, ProcessContext process) {
    ToolOutput output = new ToolOutput();
    int exitCode;
    try {
      exitCode = tool.run(process.argv().subList(1, process.argv().size()), process, output);
    } catch (ToolError e) {
      if (!e.text().isEmpty()) {
        output.error(e.text()).error("\n");
      }
      exitCode = e.exitCode();
    } catch (IllegalArgumentException e) {
      // A map's record that its layout does not allow, as bpftool map update can write one.
      output.error(process.argv().getFirst() + ": " + e.getMessage() + "\n");
      exitCode = 1;
    }
    ToolProcess running = new ToolProcess(process);
    running.print(output, exitCode);
    return running;
  }

  /** What the command says, all of it; it ends when that is read. */
  void print(ToolOutput said, int exit) {
    output = said;
    exitCode = exit;
    outputDrained();
  }

  @Override
  public void outputDrained() {
    ToolOutput said = output;
    if (said == null) {
      return;
    }
    boolean room = true;
    while (room) {
      if (at == bytes.length) {
        if (run == said.runs()) {
          process.exit(exitCode);
          return;
        }
        bytes = said.content(run++).getBytes(StandardCharsets.UTF_8);
        at = 0;
      }
      int length = Math.min(CHUNK, bytes.length - at);
      byte[] chunk = new byte[length];
      System.arraycopy(bytes, at, chunk, 0, length);
      at += length;
      room = said.isError(run - 1) ? process.stderr(chunk) : process.stdout(chunk);
    }
  }

  @Override
  public void signal(int number) {
    process.exit(128 + number);
  }
}
