package dev.paramecium.apiserver.rest;

import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import java.nio.charset.StandardCharsets;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;

/**
 * A kubelet whose containers know four commands: {@code cat} (stdin to stdout), {@code echo},
 * {@code exit N}, {@code yes N} (N messages of 1 KiB, no more in flight than the window allows).
 */
final class EchoKubelet {

  private EchoKubelet() {}

  static Behavior<KubeletRequest> create(String nodeName) {
    return Behaviors.setup(
        context -> {
          context
              .getSystem()
              .receptionist()
              .tell(Receptionist.register(KubeletRequest.key(nodeName), context.getSelf()));
          return Behaviors.receive(KubeletRequest.class)
              .onMessage(
                  KubeletRequest.Exec.class,
                  exec -> {
                    context.spawnAnonymous(Command.create(exec.request(), exec.client()));
                    return Behaviors.same();
                  })
              .onMessage(
                  KubeletRequest.HostExec.class,
                  exec -> {
                    context.spawnAnonymous(Command.create(exec.request(), exec.client()));
                    return Behaviors.same();
                  })
              .onMessage(
                  KubeletRequest.ReadLog.class,
                  log -> {
                    context.spawnAnonymous(
                        Command.create(
                            new ExecRequest(
                                "", java.util.List.of("echo", "a log line"), false, false),
                            log.client()));
                    return Behaviors.same();
                  })
              .build();
        });
  }

  private static final class Command {

    private final ExecRequest request;
    private final ActorRef<ExecOutput> client;
    private int left;
    private int inFlight;

    private Command(ExecRequest request, ActorRef<ExecOutput> client) {
      this.request = request;
      this.client = client;
    }

    static Behavior<ExecInput> create(ExecRequest request, ActorRef<ExecOutput> client) {
      return Behaviors.setup(
          context -> {
            client.tell(new ExecOutput.Started(context.getSelf()));
            return new Command(request, client).start();
          });
    }

    private Behavior<ExecInput> start() {
      String first = request.argv().getFirst();
      String rest = String.join(" ", request.argv().subList(1, request.argv().size()));
      switch (first) {
        case "cat" -> {}
        case "echo" -> {
          say(1, rest + "\n");
          return exit(0);
        }
        case "exit" -> {
          say(2, "leaving with " + rest + "\n");
          return exit(Integer.parseInt(rest));
        }
        case "yes" -> {
          left = Integer.parseInt(rest);
          if (fill()) {
            return exit(0);
          }
        }
        default -> {
          client.tell(
              new ExecOutput.Refused(
                  dev.paramecium.syscall.Errno.ENOENT,
                  "exec: \"" + first + "\": executable file not found in $PATH"));
          return Behaviors.stopped();
        }
      }
      return Behaviors.receive(ExecInput.class)
          .onMessage(
              ExecInput.Stdin.class,
              stdin -> {
                client.tell(new ExecOutput.Data(1, stdin.bytes()));
                client.tell(new ExecOutput.Ack(1));
                return Behaviors.same();
              })
          .onMessage(ExecInput.CloseStdin.class, _ -> exit(0))
          .onMessage(ExecInput.Signal.class, _ -> Behaviors.stopped())
          .onMessage(
              ExecInput.Ack.class,
              ack -> {
                inFlight -= ack.messages();
                return first.equals("yes") && fill() ? exit(0) : Behaviors.same();
              })
          .onMessage(
              ExecInput.Resize.class,
              size -> {
                say(1, size.columns() + "x" + size.rows() + "\n");
                return Behaviors.same();
              })
          .build();
    }

    private boolean fill() {
      while (left > 0 && inFlight < ExecOutput.WINDOW) {
        left--;
        inFlight++;
        client.tell(new ExecOutput.Data(1, "y".repeat(1024).getBytes(StandardCharsets.UTF_8)));
      }
      return left == 0;
    }

    private void say(int stream, String text) {
      client.tell(new ExecOutput.Data(stream, text.getBytes(StandardCharsets.UTF_8)));
    }

    private Behavior<ExecInput> exit(int code) {
      client.tell(new ExecOutput.Exited(code));
      return Behaviors.stopped();
    }
  }
}
