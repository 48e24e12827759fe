package dev.paramecium.inspect;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import java.nio.charset.StandardCharsets;

/** Runs a {@link Tool} at once and hands its output on as fast as the reader takes it. */
final class ToolProcess implements Process {

  private static final int CHUNK = 32 << 10;

  private final ProcessContext process;
  private final ToolOutput output;
  private final int exitCode;
  private int run;
  private byte[] bytes = {};
  private int at;

  private ToolProcess(ProcessContext process, ToolOutput output, int exitCode) {
    this.process = process;
    this.output = output;
    this.exitCode = exitCode;
  }

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
    ToolProcess running = new ToolProcess(process, output, exitCode);
    running.outputDrained();
    return running;
  }

  @Override
  public void outputDrained() {
    boolean room = true;
    while (room) {
      if (at == bytes.length) {
        if (run == output.runs()) {
          process.exit(exitCode);
          return;
        }
        bytes = output.content(run++).getBytes(StandardCharsets.UTF_8);
        at = 0;
      }
      int length = Math.min(CHUNK, bytes.length - at);
      byte[] chunk = new byte[length];
      System.arraycopy(bytes, at, chunk, 0, length);
      at += length;
      room = output.isError(run - 1) ? process.stderr(chunk) : process.stdout(chunk);
    }
  }

  @Override
  public void signal(int number) {
    process.exit(128 + number);
  }
}
