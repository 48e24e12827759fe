package dev.paramecium.inspect.cilium;

import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.proxy.LogRecord;
import dev.paramecium.inspect.AgentSocket;
import dev.paramecium.inspect.EventQueue;
import dev.paramecium.inspect.IdentityLabels;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.syscall.AgentCall;
import dev.paramecium.syscall.PerfRecord;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * {@code cilium monitor}: prints what programs tell about packets until it is interrupted. When its
 * reader is slow, records are lost in the ring and the loss is told, as by the real one. With
 * {@code -v} it adds, to what a policy decided, the rules that say so now: for those it asks the
 * agent, and what comes after waits for the answer.
 */
final class Monitor implements Process {

  private static final int CHUNK = 16 << 10;

  /** How many messages of the access log may wait for a slow reader. */
  private static final int MESSAGES = 4096;

  /** A policy may change; a flood of equal events is asked about once in this time. */
  private static final long ANSWERS_HOLD_MS = 1000;

  private static final String USAGE =
      """
      The monitor displays notifications and events emitted by the BPF
      programs attached to endpoints and devices. This includes:
        * Dropped packet notifications
        * Captured packet traces
        * Policy verdict notifications
        * Debugging information

      Usage:
        cilium monitor [flags]

      Flags:
            --from []uint16         Filter by source endpoint id
        -h, --help                  help for monitor
            --hex                   Do not dissect, print payload in HEX
        -j, --json                  Enable json output. Shadows -v flag
        -n, --numeric               Display all security identities as numeric values
            --related-to []uint16   Filter by either source or destination endpoint id
            --to []uint16           Filter by destination endpoint id
        -t, --type []string         Filter by event types [agent capture debug drop l7 policy-verdict recorder trace]
        -v, --verbose bools[=false]   Enable verbose output (-v, -vv)\
      """;

  private final ProcessContext process;
  private final MonitorFormat format;
  private final int cpus;
  private final PerfEventArray.Reader records;
  private final EventQueue<LogRecord> messages;
  private final KernelView.Subscription accessLog;
  private final AccessLogFormat messageFormat;
  private final AgentSocket agent;
  private final Map<PolicyQuestion, String> answers = new HashMap<>();
  private long answersUntilMs;
  private boolean asking;
  private boolean waiting;
  private boolean ended;

  private Monitor(
      KernelView kernel,
      IdentityLabels labels,
      AgentSocket agent,
      MonitorFormat format,
      ProcessContext process) {
    this.process = process;
    this.agent = agent;
    this.format = format;
    this.cpus = kernel.possibleCpus();
    this.records = kernel.openPerfRing(() -> process.executor().execute(this::read));
    this.messages = new EventQueue<>(MESSAGES, process.executor(), this::read);
    this.accessLog = kernel.openAccessLog(messages);
    this.messageFormat = new AccessLogFormat(labels);
  }

  static Process start(
      KernelView kernel,
      IdentityLabels labels,
      AgentSocket agent,
      List<String> words,
      ProcessContext process) {
    MonitorFormat format;
    try {
      format = parse(kernel, words);
    } catch (ToolError e) {
      return Tool.executable(
              (_, _, _) -> {
                throw e;
              })
          .start(process);
    }
    Monitor monitor = new Monitor(kernel, labels, agent, format, process);
    process.printError(
        "Listening for events on "
            + monitor.cpus
            + " CPUs with "
            + PerfEventArray.MONITOR_PAGES
            + "x4096 of shared memory\nPress Ctrl-C to quit\n");
    return monitor;
  }

  // ---- command line

  private static MonitorFormat parse(KernelView kernel, List<String> words) {
    int verbosity = 0;
    boolean json = false;
    boolean numeric = false;
    boolean hex = false;
    Set<Integer> types = new HashSet<>();
    Set<Integer> from = new HashSet<>();
    Set<Integer> to = new HashSet<>();
    Set<Integer> related = new HashSet<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      int equals = word.indexOf('=');
      String name = word.startsWith("--") && equals > 0 ? word.substring(0, equals) : word;
      switch (name) {
        case "-h", "--help" -> throw new ToolError(0, USAGE);
        case "-v", "--verbose" -> verbosity++;
        case "-vv" -> verbosity += 2;
        case "-j", "--json" -> json = true;
        case "-n", "--numeric" -> numeric = true;
        case "--hex" -> hex = true;
        case "-D", "--debug" -> {}
        case "-t", "--type", "--from", "--to", "--related-to" -> {
          String value;
          if (equals > 0 && name.startsWith("--") && !name.equals(word)) {
            value = word.substring(equals + 1);
          } else if (i + 1 < words.size()) {
            value = words.get(++i);
          } else {
            throw new ToolError(1, "Error: flag needs an argument: " + word + "\n" + USAGE);
          }
          switch (name) {
            case "--from" -> from.addAll(endpoints(name, value));
            case "--to" -> to.addAll(endpoints(name, value));
            case "--related-to" -> related.addAll(endpoints(name, value));
            default -> types.addAll(types(value));
          }
        }
        default -> {
          if (!word.startsWith("-")) {
            throw new ToolError(1, "Error: arguments not recognized");
          }
          throw new ToolError(1, "Error: unknown flag: " + word + "\n" + USAGE);
        }
      }
    }
    MonitorFormat.Style style =
        json
            ? MonitorFormat.Style.JSON
            : verbosity == 0 ? MonitorFormat.Style.INFO : MonitorFormat.Style.VERBOSE;
    return new MonitorFormat(kernel, style, numeric, hex, types, from, to, related);
  }

  private static Set<Integer> endpoints(String flag, String value) {
    Set<Integer> ids = new HashSet<>();
    for (String part : value.split(",", -1)) {
      try {
        int id = Integer.parseInt(part.strip());
        if (id < 0 || id > 0xffff) {
          throw new NumberFormatException(part);
        }
        ids.add(id);
      } catch (NumberFormatException e) {
        throw new ToolError(
            1,
            "Error: invalid argument \""
                + value
                + "\" for \""
                + flag
                + "\" flag: an endpoint id is a number from 0 to 65535");
      }
    }
    return ids;
  }

  private static List<Integer> types(String value) {
    return Arrays.stream(value.split(",", -1))
        .map(
            name ->
                switch (name.strip()) {
                  case "drop" -> MonitorEvent.TYPE_DROP;
                  case "debug" -> MonitorEvent.TYPE_DEBUG;
                  case "capture" -> MonitorEvent.TYPE_CAPTURE;
                  case "trace" -> MonitorEvent.TYPE_TRACE;
                  case "policy-verdict" -> MonitorEvent.TYPE_POLICY_VERDICT;
                  case "recorder" -> MonitorEvent.TYPE_RECORDER;
                  case "l7" -> MonitorEvent.TYPE_ACCESS_LOG;
                  case "agent" -> MonitorEvent.TYPE_AGENT;
                  default ->
                      throw new ToolError(
                          1,
                          "Error: invalid argument \""
                              + value
                              + "\" for \"-t, --type\" flag: unknown type ("
                              + name
                              + "). Please use one of the following ones [agent capture debug drop"
                              + " l7 policy-verdict recorder trace]");
                })
        .toList();
  }

  // ---- following

  private void read() {
    if (waiting || asking || ended) {
      return;
    }
    StringBuilder text = new StringBuilder();
    PerfRecord record = records.poll();
    while (record != null) {
      if (record.lost() > 0) {
        text.append(MonitorFormat.lost(record.cpu(), record.lost()));
      }
      String said = format.format(record);
      text.append(said);
      PolicyQuestion question = said.isEmpty() ? null : format.question(record);
      if (question != null) {
        String answer = answerTo(question);
        if (answer == null) {
          waiting = !process.print(text.toString());
          return;
        }
        text.append(answer);
      }
      if (text.length() >= CHUNK) {
        if (!process.print(text.toString())) {
          waiting = true;
          return;
        }
        text.setLength(0);
      }
      record = records.poll();
    }
    for (LogRecord message = messages.poll(); message != null; message = messages.poll()) {
      if (format.shows(message)) {
        text.append(format.isJson() ? messageFormat.json(message) : messageFormat.text(message));
      }
    }
    if (!text.isEmpty() && !process.print(text.toString())) {
      waiting = true;
    }
  }

  // ---- rules

  /** The line that says which rules decided; null if the agent was asked for it. */
  private @Nullable String answerTo(PolicyQuestion question) {
    long now = process.clock().epochMs();
    if (now >= answersUntilMs) {
      answers.clear();
      answersUntilMs = now + ANSWERS_HOLD_MS;
    }
    String known = answers.get(question);
    if (known != null) {
      return known;
    }
    CompletionStage<AgentCall.Reply> reply = agent.call(question.words());
    if (reply == null) {
      return ""; // without an agent nobody knows
    }
    asking = true;
    reply.whenComplete(
        (answer, failure) ->
            process.executor().execute(() -> answered(question, failure == null ? answer : null)));
    return null;
  }

  private void answered(PolicyQuestion question, AgentCall.@Nullable Reply reply) {
    String line = reply != null && reply.exitCode() == 0 ? "POLICY: " + reply.stdout() : "";
    answers.put(question, line);
    asking = false;
    if (!line.isEmpty() && !process.print(line)) {
      waiting = true;
    }
    read();
  }

  @Override
  public void outputDrained() {
    waiting = false;
    read();
  }

  @Override
  public void signal(int number) {
    ended = true;
    records.close();
    accessLog.close();
    if (number == 2) {
      process.printError("\nReceived an interrupt, disconnecting from monitor...\n\n");
      process.exit(0);
    } else {
      process.exit(128 + number);
    }
  }
}
