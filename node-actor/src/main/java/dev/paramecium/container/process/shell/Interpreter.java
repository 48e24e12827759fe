package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.ProcessContext.Child;
import dev.paramecium.container.process.ProcessContext.ChildSpec;
import dev.paramecium.container.process.ProcessContext.Output;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.shell.Node.Part;
import dev.paramecium.container.process.shell.Node.Word;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a script without ever waiting: each step ends by handing an exit code to the next, and the
 * steps are taken from a queue, so that loops need no stack and others on the namespace's actor get
 * their turn.
 */
final class Interpreter {

  /** Steps in a row before the actor may do something else. */
  private static final int TURN = 200;

  private static final int MAX_SUBSTITUTION = 1 << 20;

  private final ProcessContext context;
  private final Builtins builtins;
  private final Redirections redirections;
  private final Deque<Runnable> steps = new ArrayDeque<>();
  private final List<Runnable> waiters = new ArrayList<>();
  private int background;
  private boolean pumping;
  private boolean scheduled;

  Interpreter(ProcessContext context) {
    this.context = context;
    this.builtins = new Builtins(context);
    this.redirections = new Redirections(context);
  }

  /** Runs {@code node}; {@code then} gets its exit code. */
  void start(Node node, Frame frame, Io io, IntConsumer then) {
    next(() -> run(node, frame, io, then));
  }

  private void next(Runnable step) {
    steps.add(step);
    pump();
  }

  private void done(IntConsumer then, int code) {
    next(() -> then.accept(code));
  }

  private void pump() {
    if (pumping || scheduled) {
      return;
    }
    pumping = true;
    int turn = 0;
    Runnable step = steps.poll();
    while (step != null) {
      step.run();
      step = ++turn < TURN ? steps.poll() : null;
    }
    pumping = false;
    if (!steps.isEmpty()) {
      scheduled = true;
      context
          .sockets()
          .schedule(
              0,
              () -> {
                scheduled = false;
                pump();
              });
    }
  }

  private void run(Node node, Frame frame, Io io, IntConsumer then) {
    if (frame.isStopped()) {
      done(then, frame.exitCode());
      return;
    }
    switch (node) {
      case Node.Sequence(var items) -> sequence(items, 0, 0, frame, io, then);
      case Node.AndOr(var left, var and, var right) ->
          condition(
              left,
              frame,
              io,
              code -> {
                if ((code == 0) == and && frame.leaving == 0) {
                  run(right, frame, io, then);
                } else {
                  done(then, code);
                }
              });
      case Node.Pipeline pipeline -> pipeline(pipeline, frame, io, then);
      case Node.Simple simple -> simple(simple, frame, io, then);
      case Node.Redirected(var body, var redirects) ->
          redirect(redirects, frame, io, then, redirected -> run(body, frame, redirected, then));
      case Node.Subshell(var body) -> {
        Frame inner = frame.subshell();
        run(body, inner, io, code -> leave(frame, inner, code, then));
      }
      case Node.If(var condition, var thenNode, var otherwise) ->
          condition(
              condition,
              frame,
              io,
              code -> {
                if (code == 0) {
                  run(thenNode, frame, io, then);
                } else if (otherwise != null) {
                  run(otherwise, frame, io, then);
                } else {
                  done(then, 0);
                }
              });
      case Node.While loop -> round(loop, 0, frame, io, then);
      case Node.For(var name, var words, var body) ->
          expand(
              words,
              frame,
              io,
              expansion -> each(name, expansion.fields(words), 0, 0, body, frame, io, then));
    }
  }

  private void leave(Frame outer, Frame inner, int code, IntConsumer then) {
    outer.ended(inner);
    outer.variables.setLastExit(code);
    done(then, inner.isStopped() ? inner.exitCode() : code);
  }

  /** Runs what only answers a question: its failure ends nothing. */
  private void condition(Node node, Frame frame, Io io, IntConsumer then) {
    frame.conditions++;
    run(
        node,
        frame,
        io,
        code -> {
          frame.conditions--;
          frame.variables.setLastExit(code);
          then.accept(code);
        });
  }

  private void sequence(
      List<Node.Item> items, int index, int last, Frame frame, Io io, IntConsumer then) {
    if (index == items.size() || frame.leaving > 0 || frame.isStopped()) {
      done(then, frame.isStopped() ? frame.exitCode() : last);
      return;
    }
    Node.Item item = items.get(index);
    if (item.background()) {
      background(item.node(), frame, io);
      sequence(items, index + 1, 0, frame, io, then);
      return;
    }
    run(
        item.node(),
        frame,
        io,
        code -> {
          frame.variables.setLastExit(code);
          if (code != 0
              && frame.exitOnError
              && frame.conditions == 0
              && !(item.node() instanceof Node.AndOr)) {
            frame.stop(code);
          }
          sequence(items, index + 1, code, frame, io, then);
        });
  }

  private void background(Node node, Frame frame, Io io) {
    background++;
    Frame own = new Frame(frame.variables.copy());
    start(
        node,
        own,
        new Io(null, io.out(), io.err()),
        _ -> {
          background--;
          if (background == 0) {
            List<Runnable> waiting = List.copyOf(waiters);
            waiters.clear();
            waiting.forEach(Runnable::run);
          }
        });
  }

  // ---- loops

  private void round(Node.While loop, int last, Frame frame, Io io, IntConsumer then) {
    condition(
        loop.condition(),
        frame,
        io,
        code -> {
          if (frame.isStopped() || frame.leaving > 0 || (code == 0) == loop.until()) {
            done(then, frame.isStopped() ? frame.exitCode() : last);
            return;
          }
          run(
              loop.body(),
              frame,
              io,
              bodyCode -> {
                if (goesOn(frame)) {
                  next(() -> round(loop, bodyCode, frame, io, then));
                } else {
                  done(then, frame.isStopped() ? frame.exitCode() : bodyCode);
                }
              });
        });
  }

  private void each(
      String name,
      List<String> values,
      int index,
      int last,
      Node body,
      Frame frame,
      Io io,
      IntConsumer then) {
    if (index == values.size()) {
      done(then, last);
      return;
    }
    frame.variables.set(name, values.get(index));
    run(
        body,
        frame,
        io,
        code -> {
          if (goesOn(frame)) {
            next(() -> each(name, values, index + 1, code, body, frame, io, then));
          } else {
            done(then, frame.isStopped() ? frame.exitCode() : code);
          }
        });
  }

  /** After a loop's body: whether the loop has another round. */
  private static boolean goesOn(Frame frame) {
    if (frame.isStopped()) {
      return false;
    }
    if (frame.leaving == 0) {
      return true;
    }
    frame.leaving--;
    return frame.leaving == 0 && frame.continuing;
  }

  // ---- pipelines

  private void pipeline(Node.Pipeline pipeline, Frame frame, Io io, IntConsumer then) {
    List<Node> stages = pipeline.stages();
    int[] left = {stages.size()};
    int[] code = {0};
    Pipe input = io.in();
    for (int i = 0; i < stages.size(); i++) {
      boolean lastStage = i == stages.size() - 1;
      Frame own = frame.subshell();
      Pipe from = input;
      Pipe to = lastStage ? null : new Pipe();
      if (to != null) {
        to.onRoom(() -> own.allChildren().forEach(Child::drained));
        to.onReaderGone(() -> own.kill(Signals.SIGPIPE));
      }
      Io streams = new Io(from, to == null ? io.out() : to::write, io.err());
      boolean first = i == 0;
      start(
          stages.get(i),
          own,
          streams,
          stageCode -> {
            frame.ended(own);
            if (to != null) {
              to.end();
            }
            if (!first && from != null) {
              from.breakReader();
            }
            if (lastStage) {
              code[0] = own.isStopped() ? own.exitCode() : stageCode;
            }
            if (--left[0] == 0) {
              int result = pipeline.negated() ? (code[0] == 0 ? 1 : 0) : code[0];
              frame.variables.setLastExit(result);
              done(then, result);
            }
          });
      input = to;
    }
  }

  // ---- simple commands

  private void simple(Node.Simple simple, Frame frame, Io io, IntConsumer then) {
    List<Word> all = new ArrayList<>(simple.words());
    simple.assignments().forEach(assignment -> all.add(assignment.value()));
    expand(
        all,
        frame,
        io,
        expansion -> {
          List<String> words = expansion.fields(simple.words());
          Map<String, String> own = new HashMap<>();
          simple.assignments().forEach(a -> own.put(a.name(), expansion.text(a.value())));
          if (words.isEmpty()) {
            own.forEach(frame.variables::set);
          }
          redirect(
              simple.redirects(),
              frame,
              io,
              then,
              streams -> {
                if (words.isEmpty()) {
                  done(then, 0);
                } else {
                  execute(words, own, frame, streams, then);
                }
              });
        });
  }

  private void execute(
      List<String> words, Map<String, String> own, Frame frame, Io io, IntConsumer then) {
    String name = words.getFirst();
    List<String> rest = words.subList(1, words.size());
    switch (name) {
      case "exec" -> {
        if (rest.isEmpty()) {
          done(then, 0);
        } else {
          execute(
              rest,
              own,
              frame,
              io,
              code -> {
                frame.stop(code);
                done(then, code);
              });
        }
      }
      case "eval" -> {
        try {
          run(ShellParser.parse(String.join(" ", rest)), frame, io, then);
        } catch (ShellParser.SyntaxException e) {
          write(io.err(), 2, "sh: " + e.getMessage() + "\n");
          done(then, 2);
        }
      }
      case "read" -> readLine(rest, frame, io, then);
      case "wait" -> await(frame, then);
      default -> {
        boolean lookup =
            name.equals("command") && !rest.isEmpty() && !rest.getFirst().startsWith("-");
        if (lookup) {
          execute(rest, own, frame, io, then);
        } else if (Builtins.has(name)) {
          int code =
              builtins.run(
                  words, frame, text -> write(io.out(), 1, text), text -> write(io.err(), 2, text));
          done(then, code);
        } else {
          spawn(words, own, frame, io, then);
        }
      }
    }
  }

  private void readLine(List<String> names, Frame frame, Io io, IntConsumer then) {
    Pipe in = io.in();
    frame.waits(
        () -> {
          if (in != null) {
            in.setReader(null);
          }
          done(then, frame.exitCode());
        });
    new LineReader(in)
        .read(
            line -> {
              frame.waits(null);
              assignLine(line, names, frame, then);
            });
  }

  /** {@code wait}: until nothing runs in the background. */
  private void await(Frame frame, IntConsumer then) {
    if (background == 0) {
      done(then, 0);
      return;
    }
    Runnable waiter =
        () -> {
          frame.waits(null);
          done(then, 0);
        };
    waiters.add(waiter);
    frame.waits(
        () -> {
          waiters.remove(waiter);
          done(then, frame.exitCode());
        });
  }

  private void assignLine(
      @Nullable String line, List<String> names, Frame frame, IntConsumer then) {
    List<String> targets = new ArrayList<>(names);
    targets.removeIf(word -> word.startsWith("-"));
    if (targets.isEmpty()) {
      targets.add("REPLY");
    }
    String rest = line == null ? "" : line.strip();
    for (int i = 0; i < targets.size(); i++) {
      String[] split = i == targets.size() - 1 ? new String[] {rest} : rest.split("\\s+", 2);
      frame.variables.set(targets.get(i), split[0]);
      rest = split.length > 1 ? split[1] : "";
    }
    done(then, line == null ? 1 : 0);
  }

  private void write(@Nullable Output to, int stream, String text) {
    byte[] bytes = Io.bytes(text);
    if (to != null) {
      to.write(bytes);
    } else if (stream == 1) {
      context.stdout(bytes);
    } else {
      context.stderr(bytes);
    }
  }

  private void spawn(
      List<String> words, Map<String, String> own, Frame frame, Io io, IntConsumer then) {
    Map<String, String> env = frame.variables.environment();
    env.putAll(own);
    Pipe in = io.in();
    Child[] self = new Child[1];
    Child child =
        context.spawn(
            new ChildSpec(words, env, in != null, io.out(), io.err()),
            code -> {
              if (in != null) {
                in.setReader(null);
              }
              frame.ended(self[0]);
              done(then, code);
            });
    if (child == null) {
      write(io.err(), 2, "sh: " + words.getFirst() + ": not found\n");
      done(then, 127);
      return;
    }
    self[0] = child;
    frame.started(child);
    if (in != null) {
      child.onDrained(in::resume);
      in.setReader(
          new Pipe.Reader() {
            @Override
            public boolean wants() {
              return child.wantsStdin();
            }

            @Override
            public boolean take(byte[] bytes) {
              return child.stdin(bytes);
            }

            @Override
            public void end() {
              child.closeStdin();
            }
          });
    }
  }

  // ---- redirections

  private void redirect(
      List<Node.Redirect> redirects, Frame frame, Io io, IntConsumer then, Consumer<Io> go) {
    if (redirects.isEmpty()) {
      go.accept(io);
      return;
    }
    List<Word> targets = redirects.stream().map(Node.Redirect::target).toList();
    expand(
        targets,
        frame,
        io,
        expansion -> {
          Io streams = io;
          for (Node.Redirect redirect : redirects) {
            String target = expansion.text(redirect.target());
            Io changed = redirections.apply(streams, redirect, target);
            if (changed == null) {
              done(then, 1);
              return;
            }
            streams = changed;
          }
          go.accept(streams);
        });
  }

  // ---- expansion, with command substitutions run before

  private void expand(List<Word> words, Frame frame, Io io, Consumer<Expansion> go) {
    Deque<Part.Command> commands = new ArrayDeque<>();
    for (Word word : words) {
      for (Part part : word.parts()) {
        if (part instanceof Part.Command command) {
          commands.add(command);
        }
      }
    }
    IdentityHashMap<Part.Command, String> results = new IdentityHashMap<>();
    if (commands.isEmpty()) {
      go.accept(new Expansion(frame.variables, results));
    } else {
      substitute(commands, results, frame, io, go);
    }
  }

  private void substitute(
      Deque<Part.Command> commands,
      IdentityHashMap<Part.Command, String> results,
      Frame frame,
      Io io,
      Consumer<Expansion> go) {
    Part.Command command = commands.poll();
    if (command == null) {
      go.accept(new Expansion(frame.variables, results));
      return;
    }
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    Frame inner = frame.subshell();
    Output collect =
        bytes -> {
          if (output.size() < MAX_SUBSTITUTION) {
            output.writeBytes(bytes);
          }
          return true;
        };
    run(
        command.body(),
        inner,
        new Io(io.in(), collect, io.err()),
        code -> {
          frame.ended(inner);
          frame.variables.setLastExit(inner.isStopped() ? inner.exitCode() : code);
          String text = output.toString(StandardCharsets.UTF_8);
          results.put(command, text.replaceAll("\n+\\z", ""));
          substitute(commands, results, frame, io, go);
        });
  }
}
