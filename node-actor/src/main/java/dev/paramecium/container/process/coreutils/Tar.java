package dev.paramecium.container.process.coreutils;

import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.Volume;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * {@code tar}: -c, -x or -t, with -f FILE or {@code -} (stdin, stdout), -C DIRECTORY, -v, -z; other
 * options of extraction ({@code -m -p -o --no-same-owner}) change nothing here. What {@code kubectl
 * cp} needs, among others.
 */
public final class Tar implements Process {

  private static final int CHUNK = 65536;

  /** An archive is at most what a container's files may hold, and its headers. */
  private static final int MAX_ARCHIVE = 2 * Volume.CAPACITY;

  private enum Mode {
    CREATE,
    EXTRACT,
    LIST
  }

  /** A command line that asks for nothing that can be done. */
  private static final class UsageException extends Exception {

    private static final long serialVersionUID = 1;

    UsageException(String message) {
      super(message);
    }
  }

  private final ProcessContext context;
  private final Mode mode;
  private final String archive;
  private final String directory;
  private final boolean verbose;
  private final boolean gzip;
  private final List<String> operands;
  private final ByteArrayOutputStream input = new ByteArrayOutputStream();
  private final Deque<byte[]> output = new ArrayDeque<>();
  private int exitCode;
  private boolean finished;

  private Tar(ProcessContext context, Arguments arguments) {
    this.context = context;
    this.mode = arguments.mode;
    this.archive = arguments.archive;
    this.directory = arguments.directory;
    this.verbose = arguments.verbose;
    this.gzip = arguments.gzip;
    this.operands = arguments.operands;
  }

  public static Process start(ProcessContext context) {
    try {
      Tar tar = new Tar(context, new Arguments(context.argv().subList(1, context.argv().size())));
      tar.begin();
      return tar;
    } catch (UsageException e) {
      context.printError("tar: " + e.getMessage() + "\n");
      context.exit(2);
      return _ -> {};
    }
  }

  /** The command line: bundled letters with or without dash, then operands. */
  private static final class Arguments {

    private Mode mode = Mode.LIST;
    private String archive = "-";
    private String directory = "/";
    private boolean verbose;
    private boolean gzip;
    private final List<String> operands = new ArrayList<>();

    Arguments(List<String> words) throws UsageException {
      boolean decided = false;
      Deque<String> rest = new ArrayDeque<>(words);
      boolean first = true;
      while (!rest.isEmpty()) {
        String word = rest.removeFirst();
        boolean letters = word.startsWith("-") && word.length() > 1 || first;
        first = false;
        if (word.startsWith("--")) {
          continue;
        }
        if (!letters) {
          operands.add(word);
          continue;
        }
        for (char letter : word.replaceFirst("^-", "").toCharArray()) {
          switch (letter) {
            case 'c' -> mode = Mode.CREATE;
            case 'x' -> mode = Mode.EXTRACT;
            case 't' -> mode = Mode.LIST;
            case 'f' -> archive = value(rest, letter);
            case 'C' -> directory = value(rest, letter);
            case 'v' -> verbose = true;
            case 'z' -> gzip = true;
            case 'm', 'p', 'o', 'k', 'h' -> {}
            default -> throw new UsageException("invalid option -- '" + letter + "'");
          }
          decided |= "cxt".indexOf(letter) >= 0;
        }
      }
      if (!decided) {
        throw new UsageException("You must specify one of the '-ctx' options");
      }
    }

    private static String value(Deque<String> rest, char letter) throws UsageException {
      if (rest.isEmpty()) {
        throw new UsageException("option requires an argument -- '" + letter + "'");
      }
      return rest.removeFirst();
    }
  }

  private void begin() {
    if (mode == Mode.CREATE) {
      finish(this::create);
      return;
    }
    if (archive.equals("-")) {
      if (context.hasStdin()) {
        context.readStdin();
      } else {
        finish(this::read);
      }
      return;
    }
    byte[] bytes = context.files().read(archive);
    if (bytes == null) {
      context.printError("tar: " + archive + ": Cannot open: No such file or directory\n");
      context.exit(2);
      return;
    }
    input.writeBytes(bytes);
    finish(this::read);
  }

  private interface Work {
    void run() throws IOException;
  }

  private void finish(Work work) {
    try {
      work.run();
    } catch (IOException e) {
      context.printError("tar: " + e.getMessage() + "\n");
      exitCode = 2;
    }
    finished = true;
    outputDrained();
  }

  @Override
  public void stdin(byte[] bytes) {
    if (input.size() + bytes.length > MAX_ARCHIVE) {
      context.printError("tar: archive of more than " + MAX_ARCHIVE + " bytes: No space left\n");
      context.exit(2);
      return;
    }
    input.writeBytes(bytes);
  }

  @Override
  public void stdinClosed() {
    if (!finished) {
      finish(this::read);
    }
  }

  // ---- reading an archive

  private void read() throws IOException {
    InputStream bytes = new ByteArrayInputStream(input.toByteArray());
    try (TarArchiveInputStream in =
        new TarArchiveInputStream(gzip ? new GZIPInputStream(bytes) : bytes)) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        String name = entry.getName();
        if (verbose || mode == Mode.LIST) {
          say(name);
        }
        if (mode == Mode.EXTRACT && entry.isFile() && isWanted(name)) {
          extract(name, in.readNBytes(Volume.CAPACITY + 1));
        }
      }
    }
  }

  private boolean isWanted(String name) {
    return operands.isEmpty()
        || operands.stream()
            .anyMatch(operand -> name.equals(operand) || name.startsWith(operand + "/"));
  }

  private void extract(String name, byte[] content) {
    if (Arrays.asList(name.split("/", -1)).contains("..")) {
      context.printError("tar: " + name + ": Member name contains '..': skipped\n");
      exitCode = 2;
    } else if (!context.files().write(path(name), content)) {
      context.printError("tar: " + name + ": Cannot write: No space left on device\n");
      exitCode = 2;
    }
  }

  private String path(String name) {
    return directory + "/" + name;
  }

  // ---- writing one

  private void create() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    OutputStream compressed = gzip ? new GZIPOutputStream(bytes) : bytes;
    try (TarArchiveOutputStream out = new TarArchiveOutputStream(compressed)) {
      out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (String operand : operands) {
        add(operand, out);
      }
    }
    if (!archive.equals("-")) {
      if (!context.files().write(archive, bytes.toByteArray())) {
        throw new IOException(archive + ": Cannot write: No space left on device");
      }
      return;
    }
    byte[] all = bytes.toByteArray();
    for (int from = 0; from < all.length; from += CHUNK) {
      output.add(Arrays.copyOfRange(all, from, Math.min(all.length, from + CHUNK)));
    }
  }

  private void add(String operand, TarArchiveOutputStream out) throws IOException {
    String name = operand.replaceFirst("^/+", "");
    String path = operand.startsWith("/") ? operand : path(operand);
    FileSystem files = context.files();
    byte[] content = files.read(path);
    if (content != null) {
      TarArchiveEntry entry = new TarArchiveEntry(name);
      entry.setSize(content.length);
      entry.setModTime(context.clock().epochMs());
      out.putArchiveEntry(entry);
      out.write(content);
      out.closeArchiveEntry();
    } else if (files.isDirectory(path)) {
      out.putArchiveEntry(new TarArchiveEntry(name.isEmpty() ? "./" : name + "/"));
      out.closeArchiveEntry();
      for (String below : files.list(path)) {
        add(operand.replaceFirst("/+$", "") + "/" + below, out);
      }
    } else {
      context.printError("tar: " + operand + ": Cannot stat: No such file or directory\n");
      exitCode = 2;
      return;
    }
    if (verbose) {
      context.printError(name + "\n");
    }
  }

  private void say(String line) {
    output.add((line + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  @Override
  public void outputDrained() {
    while (finished && !output.isEmpty()) {
      if (!context.stdout(output.removeFirst())) {
        return;
      }
    }
    if (finished) {
      context.exit(exitCode);
    }
  }

  @Override
  public void signal(int number) {
    context.exit(Signals.exitCode(number));
  }
}
