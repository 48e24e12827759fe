package dev.paramecium.container.process.server;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import java.util.List;

/**
 * {@code cilium-agent}: shows the agent that runs in the node's user space. Its log is that one's,
 * told to it in {@link ComponentLog#FILE}; its end is not that one's end.
 */
public final class CiliumAgentView {

  /** The program's name. */
  public static final String NAME = "cilium-agent";

  private CiliumAgentView() {}

  public static Process start(ProcessContext context) {
    GoFlags flags =
        new GoFlags(context.argv().subList(1, context.argv().size()), List.of("version"));
    if (flags.isOn("version", false)) {
      context.print("Cilium 1.12.3 (Paramecium) linux/amd64\n");
      context.exit(0);
      return Agnhost.untilSignal(context);
    }
    new ComponentLog(context).follow();
    return number -> context.exit(number == Signals.SIGTERM ? 0 : Signals.exitCode(number));
  }
}
