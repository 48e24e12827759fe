package dev.paramecium.deploy.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A command that runs elsewhere, over a WebSocket with subprotocol {@code v5.channel.k8s.io}:
 * binary messages whose first byte is the channel (0 stdin, 1 stdout, 2 stderr, 3 the final Status,
 * 255 closes a channel).
 */
public final class ExecSession {

  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int STATUS = 3;
  private static final int CLOSE = 255;

  private ExecSession() {}

  /** The query of an exec subresource. */
  public static String query(List<String> command, String container, boolean stdin, boolean tty) {
    StringBuilder words = new StringBuilder();
    for (String word : command) {
      words.append("&command=").append(URLEncoder.encode(word, StandardCharsets.UTF_8));
    }
    return ApiHttp.query(
            List.of(
                "stdout", "true",
                "stderr", tty ? "" : "true",
                "stdin", stdin ? "true" : "",
                "tty", tty ? "true" : "",
                "container", container))
        + words;
  }

  /**
   * Runs to the end.
   *
   * @param path of the exec subresource with its query
   * @param stdin what to send, or null for none
   * @return the command's exit code
   */
  public static int run(
      ApiHttp api,
      String path,
      @Nullable InputStream stdin,
      OutputStream stdout,
      OutputStream stderr) {
    try (Running command = start(api, path, stdin, stdout, stderr)) {
      return command.exitCode();
    }
  }

  /** Starts it and returns; the arguments are those of {@link #run}. */
  public static Running start(
      ApiHttp api,
      String path,
      @Nullable InputStream stdin,
      OutputStream stdout,
      OutputStream stderr) {
    Receiver receiver = new Receiver(stdout, stderr);
    WebSocket socket = open(api, path, receiver);
    if (stdin != null) {
      Thread.ofVirtual().start(() -> copyStdin(stdin, socket));
    }
    return new Running(api.server(), socket, receiver.exitCode);
  }

  /** A command that runs elsewhere. */
  public static final class Running implements AutoCloseable {

    private final String server;
    private final WebSocket socket;
    private final CompletableFuture<Integer> exitCode;

    private Running(String server, WebSocket socket, CompletableFuture<Integer> exitCode) {
      this.server = server;
      this.socket = socket;
      this.exitCode = exitCode;
    }

    /** Waits for its end. */
    public int exitCode() {
      try {
        return exitCode.join();
      } catch (CompletionException e) {
        if (e.getCause() instanceof UserError error) {
          throw error;
        }
        throw new UserError(
            UserError.FAILED, "the connection to " + server + " broke: " + e.getCause() + ".");
      }
    }

    /** Hangs up, which ends the command if it still runs. */
    @Override
    public void close() {
      socket.abort();
    }
  }

  private static WebSocket open(ApiHttp api, String path, Receiver receiver) {
    URI uri = URI.create(api.server().replaceFirst("^http", "ws") + path);
    try {
      return api.http()
          .newWebSocketBuilder()
          .subprotocols("v5.channel.k8s.io")
          .buildAsync(uri, receiver)
          .join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof WebSocketHandshakeException refused) {
        throw refusal(refused);
      }
      if (e.getCause() instanceof ConnectException) {
        throw api.unreachable();
      }
      throw new UserError(UserError.FAILED, "cannot reach " + uri + ": " + e.getCause() + ".");
    }
  }

  private static UserError refusal(WebSocketHandshakeException refused) {
    String text = "HTTP " + refused.getResponse().statusCode();
    if (refused.getResponse().body() instanceof String body) {
      text = body;
    }
    try {
      JsonNode status = ApiHttp.JSON.readTree(text);
      if (status.hasNonNull("message")) {
        return new UserError(
            UserError.FAILED,
            "Error from server ("
                + status.path("reason").asText()
                + "): "
                + status.path("message").asText());
      }
    } catch (JsonProcessingException _) {
      // Not a Status: the text itself is the best that can be said.
    }
    return new UserError(UserError.FAILED, "the server refused to run the command: " + text);
  }

  private static void copyStdin(InputStream stdin, WebSocket socket) {
    byte[] buffer = new byte[16 * 1024];
    buffer[0] = STDIN;
    try {
      int count;
      while ((count = stdin.read(buffer, 1, buffer.length - 1)) >= 0) {
        socket.sendBinary(ByteBuffer.wrap(buffer, 0, count + 1), true).join();
      }
      socket.sendBinary(ByteBuffer.wrap(new byte[] {(byte) CLOSE, STDIN}), true).join();
    } catch (IOException | CompletionException e) {
      // The command has ended, or our own input broke: either way there is nothing more to send.
      socket.abort();
    }
  }

  private static final class Receiver implements WebSocket.Listener {

    private final OutputStream stdout;
    private final OutputStream stderr;
    private final StringBuilder status = new StringBuilder();
    private final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
    private int channel = -1;
    private boolean fresh = true;

    Receiver(OutputStream stdout, OutputStream stderr) {
      this.stdout = stdout;
      this.stderr = stderr;
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
      if (fresh && data.hasRemaining()) {
        channel = data.get() & 0xff;
        fresh = false;
      }
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      if (last) {
        fresh = true;
      }
      try {
        switch (channel) {
          case STDOUT -> write(stdout, bytes);
          case STDERR -> write(stderr, bytes);
          case STATUS -> {
            status.append(new String(bytes, StandardCharsets.UTF_8));
            if (last) {
              finish();
            }
          }
          default -> {}
        }
      } catch (UncheckedIOException e) {
        exitCode.completeExceptionally(e);
      }
      socket.request(1);
      return null;
    }

    private static void write(OutputStream out, byte[] bytes) {
      try {
        out.write(bytes);
        out.flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void finish() {
      try {
        JsonNode result = ApiHttp.JSON.readTree(status.toString());
        if (result.path("status").asText().equals("Success")) {
          exitCode.complete(0);
          return;
        }
        for (JsonNode cause : result.path("details").path("causes")) {
          if (cause.path("reason").asText().equals("ExitCode")) {
            exitCode.complete(cause.path("message").asInt(1));
            return;
          }
        }
        exitCode.completeExceptionally(
            new UserError(UserError.FAILED, result.path("message").asText()));
      } catch (JsonProcessingException e) {
        exitCode.completeExceptionally(e);
      }
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
      exitCode.completeExceptionally(
          new UserError(
              UserError.FAILED,
              "the session was closed (" + code + (reason.isEmpty() ? "" : ", " + reason) + ")."));
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      exitCode.completeExceptionally(error);
    }
  }
}
