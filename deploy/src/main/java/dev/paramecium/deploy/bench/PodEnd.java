package dev.paramecium.deploy.bench;

import dev.paramecium.container.process.load.Load;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Pods;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** A pod as an end: {@code paramecium-load}, started by exec. */
record PodEnd(ApiHttp api, Pods.Pod pod, AtomicInteger lastPort) implements LoadEnd {

  private static final int FIRST_PORT = 5001;

  PodEnd(ApiHttp api, Pods.Pod pod) {
    this(api, pod, new AtomicInteger(FIRST_PORT));
  }

  @Override
  public String address() {
    return pod.address().toString();
  }

  @Override
  public int freePort() {
    return lastPort.incrementAndGet();
  }

  @Override
  public Running start(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(Load.NAME));
    command.addAll(arguments);
    Output output = new Output();
    CompletableFuture<String> done = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try {
            int exitCode =
                ExecSession.run(
                    api,
                    pod.execPath() + ExecSession.query(command, "", false, false),
                    null,
                    output,
                    output);
            if (exitCode == 0) {
              done.complete(output.toString());
            } else {
              throw new UserError(
                  UserError.FAILED,
                  String.join(" ", command)
                      + " in pod "
                      + pod.name()
                      + " ended with exit code "
                      + exitCode
                      + ": "
                      + output.toString().strip());
            }
          } catch (RuntimeException e) {
            done.completeExceptionally(e);
          }
        });
    return new Running(output.started, done);
  }

  /** Collects what comes and says when the first of it came. */
  private static final class Output extends OutputStream {

    final CompletableFuture<Void> started = new CompletableFuture<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Override
    public synchronized void write(int one) {
      bytes.write(one);
      started.complete(null);
    }

    @Override
    public synchronized void write(byte[] more, int from, int count) {
      bytes.write(more, from, count);
      started.complete(null);
    }

    @Override
    public synchronized String toString() {
      return bytes.toString(StandardCharsets.UTF_8);
    }
  }
}
