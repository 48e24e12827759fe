package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.ProcessContext.Child;
import dev.paramecium.container.process.Signals;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code sh -c SCRIPT [NAME ARG…]}, {@code sh FILE [ARG…]}, {@code sh} with commands on stdin or
 * typed at a prompt.
 */
public final class Shell implements Process {

  private final ProcessContext context;
  private final Interpreter interpreter;
  private final Frame frame;
  private final Pipe input = new Pipe();
  private final StringBuilder unfinished = new StringBuilder();
  private boolean interactive;
  private @Nullable Frame job;

  private Shell(ProcessContext context, String name, List<String> positional) {
    this.context = context;
    this.interpreter = new Interpreter(context);
    this.frame = new Frame(new Variables(context.env(), name, positional, context.pid()));
    input.onRoom(context::readStdin);
    context.readStdin();
  }

  public static Process start(ProcessContext context) {
    List<String> argv = context.argv();
    int at = 1;
    boolean command = false;
    boolean exitOnError = false;
    while (at < argv.size() && argv.get(at).startsWith("-") && argv.get(at).length() > 1) {
      String options = argv.get(at++);
      command |= options.contains("c");
      exitOnError |= options.contains("e");
    }
    List<String> rest = argv.subList(at, argv.size());
    if (command) {
      if (rest.isEmpty()) {
        context.printError("sh: -c requires an argument\n");
        context.exit(2);
        return _ -> {};
      }
      String name = rest.size() > 1 ? rest.get(1) : argv.getFirst();
      Shell shell = new Shell(context, name, rest.subList(Math.min(2, rest.size()), rest.size()));
      shell.frame.exitOnError = exitOnError;
      shell.script(rest.getFirst());
      return shell;
    }
    if (!rest.isEmpty()) {
      byte[] file = context.files().read(rest.getFirst());
      if (file == null) {
        context.printError("sh: can't open '" + rest.getFirst() + "': No such file or directory\n");
        context.exit(2);
        return _ -> {};
      }
      Shell shell = new Shell(context, rest.getFirst(), rest.subList(1, rest.size()));
      shell.frame.exitOnError = exitOnError;
      shell.script(new String(file, StandardCharsets.UTF_8));
      return shell;
    }
    Shell shell = new Shell(context, argv.getFirst(), List.of());
    if (!context.hasStdin()) {
      context.exit(0);
      return shell;
    }
    shell.interactive = context.isTty();
    shell.prompt();
    return shell;
  }

  private void script(String text) {
    try {
      Node node = ShellParser.parse(text);
      Io io = new Io(context.hasStdin() ? input : null, null, null);
      interpreter.start(
          node, frame, io, code -> context.exit(frame.isStopped() ? frame.exitCode() : code));
    } catch (ShellParser.SyntaxException e) {
      context.printError("sh: " + e.getMessage() + "\n");
      context.exit(2);
    }
  }

  // ---- one line after another

  private void prompt() {
    if (interactive) {
      String directory = frame.variables.get("PWD");
      context.print(unfinished.isEmpty() ? directory + " # " : "> ");
    }
    new LineReader(input).read(this::line);
  }

  private void line(@Nullable String line) {
    if (line == null) {
      if (!unfinished.isEmpty()) {
        context.printError("sh: syntax error: unexpected end of file\n");
      } else if (interactive) {
        context.print("\n");
      }
      context.exit(unfinished.isEmpty() ? frame.variables.lastExit() : 2);
      return;
    }
    unfinished.append(line).append('\n');
    Node node;
    try {
      node = ShellParser.parse(unfinished.toString());
    } catch (ShellParser.SyntaxException e) {
      if (e.isIncomplete()) {
        prompt();
        return;
      }
      unfinished.setLength(0);
      frame.variables.setLastExit(2);
      context.printError("sh: " + e.getMessage() + "\n");
      if (interactive) {
        prompt();
      } else {
        context.exit(2);
      }
      return;
    }
    unfinished.setLength(0);
    Frame running = new Frame(frame.variables);
    running.exitOnError = frame.exitOnError;
    job = running;
    // A script on stdin is the shell's to read; at a prompt what is typed goes to what runs.
    Io io = new Io(interactive ? input : null, null, null);
    interpreter.start(node, running, io, code -> finished(running, code));
  }

  private void finished(Frame ran, int code) {
    job = null;
    frame.exitOnError = ran.exitOnError;
    frame.variables.setLastExit(code);
    if (ran.isStopped() && !(interactive && ran.isKilled())) {
      context.exit(ran.exitCode());
    } else {
      prompt();
    }
  }

  // ---- the process

  @Override
  public void stdin(byte[] bytes) {
    if (!input.write(bytes)) {
      context.pauseStdin();
    }
  }

  @Override
  public void stdinClosed() {
    if (interactive) {
      input.write(new byte[0]);
    } else {
      input.end();
    }
  }

  @Override
  public void outputDrained() {
    Frame running = job == null ? frame : job;
    running.allChildren().forEach(Child::drained);
  }

  @Override
  public void signal(int number) {
    Frame running = job;
    if (interactive && number == Signals.SIGINT) {
      input.flush();
      if (running != null) {
        running.kill(number);
      } else {
        unfinished.setLength(0);
        context.print(frame.variables.get("PWD") + " # ");
      }
      return;
    }
    (running == null ? frame : running).signal(number);
    context.exit(Signals.exitCode(number));
  }
}
