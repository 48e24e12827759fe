package dev.paramecium.container.process.coreutils;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The programs of this package by name. */
public final class Coreutils {

  private Coreutils() {}

  public static Map<String, Executable> programs() {
    Map<String, Executable> programs = new HashMap<>(Filters.programs());
    programs.put("sleep", Sleep::start);
    programs.put("true", Executable.immediate(_ -> 0));
    programs.put("false", Executable.immediate(_ -> 1));
    programs.put("echo", Executable.immediate(Coreutils::echo));
    programs.put("printf", Executable.immediate(Coreutils::printf));
    programs.put("env", Executable.immediate(Coreutils::env));
    programs.put("printenv", Executable.immediate(Coreutils::env));
    programs.put("hostname", Executable.immediate(Coreutils::hostname));
    programs.put("id", Executable.immediate(Coreutils::id));
    programs.put("whoami", Executable.immediate(c -> say(c, "root\n")));
    programs.put("pwd", Executable.immediate(c -> say(c, "/\n")));
    programs.put("ls", Executable.immediate(Coreutils::ls));
    programs.put("rm", Executable.immediate(Coreutils::rm));
    programs.put("mkdir", Executable.immediate(Coreutils::mkdir));
    programs.put("rmdir", Executable.immediate(Coreutils::rmdir));
    programs.put("kill", Executable.immediate(Coreutils::kill));
    programs.put("touch", Executable.immediate(Coreutils::touch));
    programs.put("date", Executable.immediate(Coreutils::date));
    programs.put("uname", Executable.immediate(Coreutils::uname));
    programs.put("seq", Seq::start);
    programs.put("ps", Executable.immediate(Coreutils::ps));
    programs.put("which", Executable.immediate(Coreutils::which));
    return programs;
  }

  private static List<String> arguments(ProcessContext context) {
    return context.argv().subList(1, context.argv().size());
  }

  private static int say(ProcessContext context, String text) {
    context.print(text);
    return 0;
  }

  private static int complain(ProcessContext context, String text) {
    context.printError(context.argv().getFirst() + ": " + text + "\n");
    return 1;
  }

  /** {@code echo -n -e}, also a shell's own. */
  public static int echo(ProcessContext context) {
    context.print(echoed(arguments(context)));
    return 0;
  }

  /** What {@code echo} prints for its arguments. */
  public static String echoed(List<String> arguments) {
    boolean newline = true;
    boolean escapes = false;
    int from = 0;
    while (from < arguments.size() && arguments.get(from).matches("-[neE]+")) {
      newline &= !arguments.get(from).contains("n");
      escapes |= arguments.get(from).contains("e");
      from++;
    }
    String text = String.join(" ", arguments.subList(from, arguments.size()));
    return (escapes ? unescape(text) : text) + (newline ? "\n" : "");
  }

  private static String unescape(String text) {
    StringBuilder result = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\' || i + 1 == text.length()) {
        result.append(c);
        continue;
      }
      char next = text.charAt(++i);
      switch (next) {
        case 'n' -> result.append('\n');
        case 't' -> result.append('\t');
        case 'r' -> result.append('\r');
        case '0' -> result.append('\0');
        case 'e' -> result.append('\033');
        case '\\' -> result.append('\\');
        default -> result.append(c).append(next);
      }
    }
    return result.toString();
  }

  private static int printf(ProcessContext context) {
    List<String> arguments = arguments(context);
    if (arguments.isEmpty()) {
      return complain(context, "usage: printf FORMAT [ARG]...");
    }
    context.print(printed(arguments.getFirst(), arguments.subList(1, arguments.size())));
    return 0;
  }

  /** What {@code printf} prints: the format again until all arguments are used. */
  public static String printed(String format, List<String> arguments) {
    String text = unescape(format);
    StringBuilder result = new StringBuilder();
    int used = 0;
    do {
      int before = used;
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c != '%' || i + 1 == text.length()) {
          result.append(c);
          continue;
        }
        int end = i + 1;
        while (end < text.length() - 1 && "-0123456789.".indexOf(text.charAt(end)) >= 0) {
          end++;
        }
        char kind = text.charAt(end);
        if (kind == '%') {
          result.append('%');
        } else {
          String argument = used < arguments.size() ? arguments.get(used) : "";
          used++;
          result.append(conversion(text.substring(i, end), kind, argument));
        }
        i = end;
      }
      if (used == before) {
        break;
      }
    } while (used < arguments.size());
    return result.toString();
  }

  private static String conversion(String flags, char kind, String argument) {
    return switch (kind) {
      case 'd', 'i' -> String.format(Locale.ROOT, flags + "d", number(argument));
      case 'x' -> String.format(Locale.ROOT, flags + "x", number(argument));
      case 's' -> String.format(Locale.ROOT, flags + "s", argument);
      case 'c' -> argument.isEmpty() ? "" : argument.substring(0, 1);
      default -> flags + kind;
    };
  }

  private static long number(String text) {
    return text.matches("-?[0-9]{1,18}") ? Long.parseLong(text) : 0;
  }

  private static int env(ProcessContext context) {
    if (context.argv().getFirst().endsWith("printenv") && context.argv().size() > 1) {
      String value = context.env().get(context.argv().get(1));
      return value == null ? 1 : say(context, value + "\n");
    }
    context.env().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> context.print(entry.getKey() + "=" + entry.getValue() + "\n"));
    return 0;
  }

  private static int hostname(ProcessContext context) {
    if (arguments(context).contains("-i")) {
      return context.namespace().addresses().stream()
          .filter(address -> !address.device().equals("lo"))
          .findFirst()
          .map(address -> say(context, address.address() + "\n"))
          .orElse(1);
    }
    return say(context, context.hostname() + "\n");
  }

  private static int id(ProcessContext context) {
    return switch (String.join(" ", arguments(context))) {
      case "-u", "-g" -> say(context, "0\n");
      case "-un", "-gn" -> say(context, "root\n");
      default -> say(context, "uid=0(root) gid=0(root) groups=0(root)\n");
    };
  }

  private static int ls(ProcessContext context) {
    List<String> operands =
        arguments(context).stream().filter(word -> !word.startsWith("-")).toList();
    int code = 0;
    for (String operand : operands.isEmpty() ? List.of("/") : operands) {
      if (context.files().read(operand) != null) {
        context.print(operand + "\n");
      } else if (context.files().isDirectory(operand)) {
        context.files().list(operand).forEach(name -> context.print(name + "\n"));
      } else {
        code = complain(context, operand + ": No such file or directory");
      }
    }
    return code;
  }

  private static int touch(ProcessContext context) {
    List<String> files = arguments(context).stream().filter(a -> !a.startsWith("-")).toList();
    if (files.isEmpty()) {
      return complain(context, "missing file operand");
    }
    for (String file : files) {
      byte[] there = context.files().read(file);
      context.files().write(file, there == null ? new byte[0] : there);
    }
    return 0;
  }

  private static int rm(ProcessContext context) {
    int code = 0;
    FileSystem files = context.files();
    boolean force = hasOption(context, 'f');
    boolean recursive = hasOption(context, 'r') || hasOption(context, 'R');
    for (String word : operands(context)) {
      if (files.isDirectory(word)) {
        if (recursive) {
          files.removeDirectory(word);
        } else {
          code = complain(context, "'" + word + "' is a directory");
        }
      } else if (!files.remove(word) && !force) {
        code = complain(context, "can't remove '" + word + "': No such file or directory");
      }
    }
    return code;
  }

  private static boolean hasOption(ProcessContext context, char option) {
    return arguments(context).stream()
        .anyMatch(word -> word.matches("-[A-Za-z]+") && word.indexOf(option) > 0);
  }

  private static List<String> operands(ProcessContext context) {
    return arguments(context).stream().filter(word -> !word.startsWith("-")).toList();
  }

  private static int mkdir(ProcessContext context) {
    FileSystem files = context.files();
    boolean parents = hasOption(context, 'p');
    if (operands(context).isEmpty()) {
      return complain(context, "missing operand");
    }
    int code = 0;
    for (String word : operands(context)) {
      String path = word.replaceFirst("(?<=.)/+$", "");
      String above = path.substring(0, Math.max(0, path.lastIndexOf('/')));
      boolean taken = files.read(path) != null;
      if (taken || files.isDirectory(path) && !parents) {
        code = complain(context, "can't create directory '" + word + "': File exists");
      } else if (!parents && !files.isDirectory(above.isEmpty() ? "/" : above)) {
        code =
            complain(context, "can't create directory '" + word + "': No such file or directory");
      } else {
        files.makeDirectory(path);
      }
    }
    return code;
  }

  private static int rmdir(ProcessContext context) {
    FileSystem files = context.files();
    int code = 0;
    for (String word : operands(context)) {
      if (!files.isDirectory(word)) {
        String why = files.read(word) == null ? "No such file or directory" : "Not a directory";
        code = complain(context, "'" + word + "': " + why);
      } else if (!files.list(word).isEmpty()) {
        code = complain(context, "'" + word + "': Directory not empty");
      } else {
        files.removeDirectory(word);
      }
    }
    return code;
  }

  private static final Map<String, Integer> SIGNALS =
      Map.of(
          "HUP", Signals.SIGHUP,
          "INT", Signals.SIGINT,
          "QUIT", Signals.SIGQUIT,
          "KILL", Signals.SIGKILL,
          "TERM", Signals.SIGTERM);

  /** {@code kill [-TERM | -15 | -s TERM] PID…}. */
  private static int kill(ProcessContext context) {
    List<String> words = new ArrayList<>(arguments(context));
    int signal = Signals.SIGTERM;
    if (!words.isEmpty() && words.getFirst().startsWith("-")) {
      String name = words.removeFirst().substring(1);
      if (name.equals("s") && !words.isEmpty()) {
        name = words.removeFirst();
      }
      Integer number =
          name.matches("[0-9]{1,2}")
              ? Integer.valueOf(name)
              : SIGNALS.get(name.toUpperCase(Locale.ROOT).replaceFirst("^SIG", ""));
      if (number == null) {
        return complain(context, "bad signal name '" + name + "'");
      }
      signal = number;
    }
    if (words.isEmpty()) {
      return complain(context, "you need to specify whom to kill");
    }
    int code = 0;
    for (String word : words) {
      if (!word.matches("[0-9]{1,9}")) {
        code = complain(context, "invalid number '" + word + "'");
      } else if (!context.processes().signal(Integer.parseInt(word), signal)) {
        code = complain(context, "can't kill pid " + word + ": No such process");
      }
    }
    return code;
  }

  private static int date(ProcessContext context) {
    ZonedDateTime now = Instant.ofEpochMilli(context.clock().epochMs()).atZone(ZoneOffset.UTC);
    String format = "+%a %b %e %H:%M:%S UTC %Y";
    for (String word : arguments(context)) {
      if (word.startsWith("+")) {
        format = word;
      } else if (!word.equals("-u")) {
        return complain(context, "invalid date '" + word + "'");
      }
    }
    return say(context, strftime(format.substring(1), now) + "\n");
  }

  private static String strftime(String format, ZonedDateTime time) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        text.append(c);
        continue;
      }
      char kind = format.charAt(++i);
      switch (kind) {
        case 's' -> text.append(time.toEpochSecond());
        case 'e' -> text.append(String.format(Locale.ROOT, "%2d", time.getDayOfMonth()));
        case 'N' -> text.append(String.format(Locale.ROOT, "%09d", time.getNano()));
        case '%' -> text.append('%');
        default -> text.append(time.format(DateTimeFormatter.ofPattern(pattern(kind), Locale.US)));
      }
    }
    return text.toString();
  }

  private static String pattern(char kind) {
    return switch (kind) {
      case 'a' -> "EEE";
      case 'b' -> "MMM";
      case 'Y' -> "uuuu";
      case 'm' -> "MM";
      case 'd' -> "dd";
      case 'H' -> "HH";
      case 'M' -> "mm";
      case 'S' -> "ss";
      case 'F' -> "uuuu-MM-dd";
      case 'T' -> "HH:mm:ss";
      case 'Z' -> "'UTC'";
      case 'z' -> "'+0000'";
      default -> "'%" + kind + "'";
    };
  }

  private static int uname(ProcessContext context) {
    String release = "5.15.0-58-generic";
    return switch (String.join(" ", arguments(context))) {
      case "-a" ->
          say(
              context,
              "Linux "
                  + context.hostname()
                  + " "
                  + release
                  + " #64-Ubuntu SMP Thu Jan 5 11:43:13 UTC 2023 x86_64 Linux\n");
      case "-r" -> say(context, release + "\n");
      case "-n" -> say(context, context.hostname() + "\n");
      case "-m" -> say(context, "x86_64\n");
      default -> say(context, "Linux\n");
    };
  }

  private static int ps(ProcessContext context) {
    StringBuilder text = new StringBuilder("PID   USER     TIME  COMMAND\n");
    context
        .processes()
        .list()
        .forEach(
            (pid, argv) ->
                text.append(
                    String.format(
                        Locale.ROOT, "%5d root      0:00 %s\n", pid, String.join(" ", argv))));
    return say(context, text.toString());
  }

  private static int which(ProcessContext context) {
    int code = 0;
    for (String name : arguments(context)) {
      if (context.canExecute(name)) {
        context.print("/usr/bin/" + name + "\n");
      } else {
        code = 1;
      }
    }
    return code;
  }
}
