package dev.paramecium.container.process;

import dev.paramecium.container.socket.Sockets;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecResult;
import dev.paramecium.syscall.Result;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A command that is run to its end for someone who wants its exit code and what it said. */
public final class ExecSync {

  private final ProcessTable table;
  private final ActorRef<Result<ExecResult>> replyTo;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private Sockets.@Nullable Timer timer;
  private boolean over;

  private ExecSync(ProcessTable table, ActorRef<Result<ExecResult>> replyTo) {
    this.table = table;
    this.replyTo = replyTo;
  }

  /** Answers {@code replyTo} once, after {@code timeoutMs} at the latest. */
  public static void start(
      ProcessTable table,
      List<String> argv,
      long timeoutMs,
      Sockets timers,
      ActorRef<Result<ExecResult>> replyTo) {
    ExecSync exec = new ExecSync(table, replyTo);
    RunningProcess process = table.start(argv, false, false, exec::write, exec::exited);
    if (process == null) {
      exec.end(
          Result.failed(
              Errno.ENOENT,
              "OCI runtime exec failed: exec failed: " + ProcessTable.notFound(argv)));
    } else if (!exec.over) {
      exec.timer = timers.schedule(timeoutMs, () -> exec.timeOut(process, timeoutMs));
    }
  }

  private boolean write(int stream, byte[] bytes) {
    int room = ExecResult.MAX_OUTPUT - output.size();
    output.write(bytes, 0, Math.min(room, bytes.length));
    return true;
  }

  private void timeOut(RunningProcess process, long timeoutMs) {
    end(Result.failed(Errno.ETIMEDOUT, "not done after " + timeoutMs + " ms: killed"));
    table.killTree(process);
  }

  private void exited(int code) {
    end(Result.ok(new ExecResult(code, output.toString(StandardCharsets.UTF_8))));
  }

  private void end(Result<ExecResult> result) {
    if (over) {
      return;
    }
    over = true;
    if (timer != null) {
      timer.cancel();
    }
    replyTo.tell(result);
  }
}
