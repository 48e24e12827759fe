package dev.paramecium.container.process.coreutils;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** {@code cat tee head tail wc grep sort sha256sum md5sum dd}. */
final class Filters {

  private Filters() {}

  static Map<String, Executable> programs() {
    return Map.of(
        "cat", context -> new Cat(context, operands(context)).begin(),
        "tee", Filters::tee,
        "head", Filters::head,
        "tail", Filters::tail,
        "wc", Filters::wc,
        "grep", Filters::grep,
        "sort", Filters::sort,
        "sha256sum", context -> new Digest(context, "SHA-256").begin(),
        "md5sum", context -> new Digest(context, "MD5").begin(),
        "dd", Filters::dd);
  }

  private static List<String> operands(ProcessContext context) {
    return context.argv().stream()
        .skip(1)
        .filter(word -> word.equals("-") || !word.startsWith("-"))
        .toList();
  }

  private static Process usage(ProcessContext context, String message) {
    context.printError(context.argv().getFirst() + ": " + message + "\n");
    context.exit(1);
    return _ -> {};
  }

  private static final class Cat extends Filter {
    Cat(ProcessContext context, List<String> operands) {
      super(context, operands);
    }

    @Override
    protected boolean chunk(byte[] bytes) {
      emit(bytes);
      return true;
    }

    @Override
    protected int end() {
      return 0;
    }
  }

  private static Process tee(ProcessContext context) {
    boolean append = context.argv().contains("-a");
    List<String> files = operands(context);
    if (!append) {
      files.forEach(file -> context.files().write(file, new byte[0]));
    }
    return new Filter(context, List.of()) {
      private int code;

      @Override
      protected boolean chunk(byte[] bytes) {
        emit(bytes);
        for (String file : files) {
          if (!context.files().append(file, bytes)) {
            context.printError("tee: " + file + ": No space left on device\n");
            code = 1;
          }
        }
        return true;
      }

      @Override
      protected int end() {
        return code;
      }
    }.begin();
  }

  /** {@code -n 5}, {@code -n5}, {@code -5}, {@code -c 1M}: the number, and whether it is bytes. */
  private record Count(long number, boolean bytes, List<String> operands) {

    static Count of(List<String> arguments) {
      long number = 10;
      boolean bytes = false;
      List<String> operands = new ArrayList<>();
      for (int i = 0; i < arguments.size(); i++) {
        String word = arguments.get(i);
        if (word.startsWith("-n") || word.startsWith("-c")) {
          bytes = word.charAt(1) == 'c';
          String value = word.length() > 2 ? word.substring(2) : "";
          if (value.isEmpty() && i + 1 < arguments.size()) {
            value = arguments.get(++i);
          }
          number = size(value);
        } else if (word.length() > 1
            && word.charAt(0) == '-'
            && Character.isDigit(word.charAt(1))) {
          number = size(word.substring(1));
        } else {
          operands.add(word);
        }
      }
      return new Count(number, bytes, operands);
    }
  }

  /** A number with k, K, M, G for powers of 1024. */
  static long size(String text) {
    long unit =
        switch (text.isEmpty() ? ' ' : text.charAt(text.length() - 1)) {
          case 'k', 'K' -> 1L << 10;
          case 'M' -> 1L << 20;
          case 'G' -> 1L << 30;
          default -> 1;
        };
    String digits = unit == 1 ? text : text.substring(0, text.length() - 1);
    try {
      return Math.multiplyExact(Long.parseLong(digits), unit);
    } catch (NumberFormatException | ArithmeticException e) {
      throw new IllegalArgumentException("invalid number '" + text + "'", e);
    }
  }

  private static Process head(ProcessContext context) {
    Count count;
    try {
      count = Count.of(context.argv().subList(1, context.argv().size()));
    } catch (IllegalArgumentException e) {
      return usage(context, String.valueOf(e.getMessage()));
    }
    return new Filter(context, count.operands()) {
      private long left = count.number();

      @Override
      protected long wanted() {
        return count.bytes() ? left : Long.MAX_VALUE;
      }

      @Override
      protected boolean chunk(byte[] bytes) {
        int taken = 0;
        while (taken < bytes.length && left > 0) {
          if (count.bytes()) {
            int step = (int) Math.min(left, bytes.length - taken);
            taken += step;
            left -= step;
          } else if (bytes[taken++] == '\n') {
            left--;
          }
        }
        emit(taken == bytes.length ? bytes : Arrays.copyOf(bytes, taken));
        return left > 0;
      }

      @Override
      protected int end() {
        return 0;
      }
    }.begin();
  }

  /** Calls {@link #line} for each line, newline included if it has one. */
  private abstract static class Lines extends Filter {
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    Lines(ProcessContext context, List<String> operands) {
      super(context, operands);
    }

    protected abstract void line(byte[] bytes);

    protected abstract int endOfLines();

    @Override
    protected boolean chunk(byte[] bytes) {
      for (byte b : bytes) {
        line.write(b);
        if (b == '\n') {
          line(line.toByteArray());
          line.reset();
        }
      }
      return true;
    }

    @Override
    protected int end() {
      if (line.size() > 0) {
        line(line.toByteArray());
      }
      return endOfLines();
    }
  }

  private static Process tail(ProcessContext context) {
    Count count;
    try {
      count = Count.of(context.argv().subList(1, context.argv().size()));
    } catch (IllegalArgumentException e) {
      return usage(context, String.valueOf(e.getMessage()));
    }
    Deque<byte[]> last = new ArrayDeque<>();
    return new Lines(context, count.operands()) {
      @Override
      protected void line(byte[] bytes) {
        last.add(bytes);
        if (last.size() > count.number()) {
          last.removeFirst();
        }
      }

      @Override
      protected int endOfLines() {
        last.forEach(this::emit);
        return 0;
      }
    }.begin();
  }

  private static Process sort(ProcessContext context) {
    boolean reverse = context.argv().contains("-r");
    boolean unique = context.argv().contains("-u");
    List<String> lines = new ArrayList<>();
    return new Lines(context, operands(context)) {
      @Override
      protected void line(byte[] bytes) {
        lines.add(new String(bytes, StandardCharsets.UTF_8).stripTrailing());
      }

      @Override
      protected int endOfLines() {
        lines.stream()
            .sorted(reverse ? Comparator.reverseOrder() : Comparator.naturalOrder())
            .filter(unique ? new HashSet<String>()::add : _ -> true)
            .forEach(text -> emit(text + "\n"));
        return 0;
      }
    }.begin();
  }

  private static Process grep(ProcessContext context) {
    String options = "";
    List<String> rest = new ArrayList<>();
    for (String word : context.argv().subList(1, context.argv().size())) {
      if (word.length() > 1 && word.startsWith("-") && rest.isEmpty()) {
        options += word.substring(1);
      } else {
        rest.add(word);
      }
    }
    if (rest.isEmpty()) {
      return usage(context, "a pattern is missing: grep [-ciqvE] PATTERN [FILE]...");
    }
    Pattern pattern;
    try {
      String text = rest.getFirst();
      pattern =
          Pattern.compile(
              options.contains("F") ? Pattern.quote(text) : text,
              options.contains("i") ? Pattern.CASE_INSENSITIVE : 0);
    } catch (PatternSyntaxException e) {
      return usage(context, "bad regex '" + rest.getFirst() + "': " + e.getDescription());
    }
    boolean invert = options.contains("v");
    boolean count = options.contains("c");
    boolean quiet = options.contains("q");
    return new Lines(context, rest.subList(1, rest.size())) {
      private int matches;

      @Override
      protected void line(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8).stripTrailing();
        if (pattern.matcher(text).find() != invert) {
          matches++;
          if (!count && !quiet) {
            emit(text + "\n");
          }
        }
      }

      @Override
      protected int endOfLines() {
        if (count) {
          emit(matches + "\n");
        }
        return matches > 0 ? 0 : 1;
      }
    }.begin();
  }

  private static Process wc(ProcessContext context) {
    List<String> arguments = context.argv();
    boolean lines = arguments.contains("-l");
    boolean words = arguments.contains("-w");
    boolean bytesOnly = arguments.contains("-c");
    boolean all = !lines && !words && !bytesOnly;
    List<String> operands = operands(context);
    return new Filter(context, operands) {
      private long newlines;
      private long wordCount;
      private long byteCount;
      private boolean inWord;

      @Override
      protected boolean chunk(byte[] bytes) {
        byteCount += bytes.length;
        for (byte b : bytes) {
          newlines += b == '\n' ? 1 : 0;
          boolean space = b == ' ' || (b >= 9 && b <= 13);
          wordCount += !space && !inWord ? 1 : 0;
          inWord = !space;
        }
        return true;
      }

      @Override
      protected int end() {
        List<String> numbers = new ArrayList<>();
        if (lines || all) {
          numbers.add(String.valueOf(newlines));
        }
        if (words || all) {
          numbers.add(String.valueOf(wordCount));
        }
        if (bytesOnly || all) {
          numbers.add(String.valueOf(byteCount));
        }
        String text =
            numbers.size() == 1
                ? numbers.getFirst()
                : String.join(
                    "",
                    numbers.stream()
                        .map(n -> " ".repeat(Math.max(1, 9 - n.length())) + n)
                        .toList());
        emit(text + (operands.isEmpty() ? "" : " " + String.join(" ", operands)) + "\n");
        return 0;
      }
    }.begin();
  }

  private static final class Digest extends Filter {
    private final String algorithm;
    private MessageDigest digest;
    private String operand = "-";
    private boolean open;

    Digest(ProcessContext context, String algorithm) {
      super(context, operands(context));
      this.algorithm = algorithm;
      this.digest = digest();
    }

    private MessageDigest digest() {
      try {
        return MessageDigest.getInstance(algorithm);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every Java has " + algorithm, e);
      }
    }

    @Override
    protected void opened(String name) {
      report();
      operand = name;
      open = true;
    }

    @Override
    protected boolean chunk(byte[] bytes) {
      digest.update(bytes);
      return true;
    }

    @Override
    protected int end() {
      report();
      return 0;
    }

    private void report() {
      if (open) {
        emit(HexFormat.of().formatHex(digest.digest()) + "  " + operand + "\n");
        digest = digest();
      }
    }
  }

  private static Process dd(ProcessContext context) {
    String input = "-";
    String output = "";
    long block = 512;
    long blocks = Long.MAX_VALUE;
    try {
      for (String word : context.argv().subList(1, context.argv().size())) {
        String value = word.substring(word.indexOf('=') + 1);
        switch (word.substring(0, Math.max(0, word.indexOf('=')))) {
          case "if" -> input = value;
          case "of" -> output = value;
          case "bs" -> block = size(value);
          case "count" -> blocks = size(value);
          case "status", "conv" -> {}
          default -> {
            return usage(context, "unrecognized operand '" + word + "'");
          }
        }
      }
    } catch (IllegalArgumentException e) {
      return usage(context, String.valueOf(e.getMessage()));
    }
    long blockSize = Math.max(1, block);
    long total = blocks > Long.MAX_VALUE / blockSize ? Long.MAX_VALUE : blocks * blockSize;
    String file = output;
    if (!file.isEmpty()) {
      context.files().write(file, new byte[0]);
    }
    return new Filter(context, List.of(input)) {
      private long left = total;
      private int code;

      @Override
      protected long wanted() {
        return left;
      }

      @Override
      protected boolean chunk(byte[] bytes) {
        byte[] part = bytes.length <= left ? bytes : Arrays.copyOf(bytes, (int) left);
        left -= part.length;
        if (file.isEmpty()) {
          emit(part);
        } else if (!context.files().append(file, part)) {
          context.printError("dd: error writing '" + file + "': No space left on device\n");
          code = 1;
          return false;
        }
        return left > 0;
      }

      @Override
      protected int end() {
        long copied = total - left;
        String records = copied / blockSize + "+" + (copied % blockSize == 0 ? 0 : 1) + " records ";
        context.printError(records + "in\n" + records + "out\n");
        return code;
      }
    }.begin();
  }
}
