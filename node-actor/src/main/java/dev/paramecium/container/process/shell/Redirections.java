package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.ProcessContext.Output;
import org.jspecify.annotations.Nullable;

/** Opens what {@code <}, {@code >}, {@code >>} and {@code >&} name. */
final class Redirections {

  private final ProcessContext context;

  Redirections(ProcessContext context) {
    this.context = context;
  }

  /** The streams as {@code redirect} makes them; null if it fails, which has been said. */
  @Nullable Io apply(Io io, Node.Redirect redirect, String target) {
    if (redirect.operator().equals("<")) {
      byte[] content = context.files().read(target);
      if (content == null) {
        complain(io, "sh: can't open " + target + ": no such file\n");
        return null;
      }
      Pipe file = new Pipe();
      file.write(content);
      file.end();
      return new Io(file, io.out(), io.err());
    }
    if (redirect.operator().equals(">&")) {
      Output to =
          switch (target) {
            case "1" -> io.out() == null ? context::stdout : io.out();
            case "2" -> io.err() == null ? context::stderr : io.err();
            default -> _ -> true;
          };
      return redirect.descriptor() == 2
          ? new Io(io.in(), io.out(), to)
          : new Io(io.in(), to, io.err());
    }
    boolean append = redirect.operator().equals(">>");
    boolean opened =
        append
            ? context.files().append(target, new byte[0])
            : context.files().write(target, new byte[0]);
    if (!opened || context.files().isDirectory(target)) {
      complain(io, "sh: can't create " + target + ": No space left on device\n");
      return null;
    }
    Output file =
        bytes -> {
          if (!context.files().append(target, bytes)) {
            context.printError("sh: write error: No space left on device\n");
          }
          return true;
        };
    return switch (redirect.descriptor()) {
      case 2 -> new Io(io.in(), io.out(), file);
      case 3 -> new Io(io.in(), file, file);
      default -> new Io(io.in(), file, io.err());
    };
  }

  private void complain(Io io, String text) {
    Output to = io.err();
    if (to == null) {
      context.printError(text);
    } else {
      to.write(Io.bytes(text));
    }
  }
}
