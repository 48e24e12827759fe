package dev.paramecium.container;

import dev.paramecium.container.process.OutputQueue;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.LogRequest;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * One client that reads a container's log. It holds a position, not the lines: a client that is
 * slow misses what was dropped meanwhile, and is told so.
 */
final class LogSession {

  private static final int READ = 64;

  private final ContainerLog log;
  private final LogRequest request;
  private final OutputQueue output;
  private final Runnable ended;
  private final Runnable follower = this::pump;
  private long next;
  private boolean waiting;
  private boolean finished;

  LogSession(ContainerLog log, LogRequest request, ActorRef<ExecOutput> client, Runnable ended) {
    this.log = log;
    this.request = request;
    this.output = new OutputQueue(client);
    this.ended = ended;
    this.next = 0;
    if (request.tailLines() >= 0) {
      next = Math.max(log.first(), log.end() - request.tailLines());
    }
    if (request.sinceEpochMs() > 0) {
      next = Math.max(next, log.since(request.sinceEpochMs()));
    }
  }

  void start() {
    if (request.follow()) {
      log.follow(follower);
    }
    pump();
  }

  private void pump() {
    while (!waiting && !finished) {
      if (next < log.first()) {
        long missed = log.first() - next;
        next = log.first();
        waiting = !output.write(1, ContainerLog.gap(missed));
        continue;
      }
      List<ContainerLog.Line> lines = log.read(next, READ);
      if (lines.isEmpty()) {
        if (!request.follow() || log.isClosed()) {
          finish();
        }
        return;
      }
      next += lines.size();
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      for (ContainerLog.Line line : lines) {
        if (request.timestamps()) {
          text.writeBytes((line.timestamp() + " ").getBytes(StandardCharsets.US_ASCII));
        }
        text.writeBytes(line.bytes());
      }
      waiting = !output.write(1, text.toByteArray());
    }
  }

  private void finish() {
    finished = true;
    log.unfollow(follower);
    output.end(0);
    endIfTold();
  }

  private void endIfTold() {
    if (finished && output.isDone()) {
      ended.run();
    }
  }

  void input(ExecInput message) {
    switch (message) {
      case ExecInput.Ack(int messages) -> {
        if (output.acknowledged(messages)) {
          waiting = false;
          pump();
        }
        endIfTold();
      }
      case ExecInput.Signal _ -> {
        if (!finished) {
          finish();
        }
      }
      case ExecInput.Stdin _, ExecInput.CloseStdin _, ExecInput.Resize _ -> {}
    }
  }

  void clientGone() {
    log.unfollow(follower);
    finished = true;
    output.discard();
    ended.run();
  }
}
