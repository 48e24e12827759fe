package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.PolicyDecisions;
import dev.paramecium.deploy.client.PolicyDecisions.Decision;
import dev.paramecium.deploy.client.PolicyDecisions.Question;
import dev.paramecium.deploy.client.TraceStream;
import dev.paramecium.deploy.walk.Walk;
import dev.paramecium.deploy.walk.WalkPrinter;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import dev.paramecium.trace.ObservationJson;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Sends one real packet and follows it and its reply over all nodes. */
@Command(
    name = "trace",
    mixinStandardHelpOptions = true,
    description =
        "Sends one real packet from a pod, follows it and its reply over all nodes, and says what"
            + " decided.")
final class TraceCommand implements Callable<Integer> {

  /** The probe's exit code for "nobody listens there", which is an answer. */
  private static final int REFUSED = 3;

  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(2);

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(index = "0", paramLabel = "SRC", description = "[namespace/]pod")
  private String source = "";

  @Parameters(index = "1", paramLabel = "DST[:PORT]", description = "[namespace/]pod or an address")
  private String destination = "";

  @Option(
      names = "--protocol",
      paramLabel = "PROTOCOL",
      description = "tcp, udp or icmp; default tcp with a port, icmp without")
  private @Nullable String protocol;

  @Option(
      names = {"-n", "--namespace"},
      defaultValue = "default")
  private String namespace = "default";

  @Mixin private final JsonOption format = new JsonOption();

  @Override
  public Integer call() throws JsonProcessingException {
    boolean json = format.wanted();
    int colon = destination.indexOf(':');
    int port = colon < 0 ? 0 : port(destination.substring(colon + 1));
    String chosen =
        protocol == null ? (port > 0 ? "tcp" : "icmp") : protocol.toLowerCase(Locale.ROOT);
    int number = protocolNumber(chosen, port);
    ApiHttp api = cluster.api();
    Pods.Pod from = Pods.find(api, source, namespace);
    String receiver = colon < 0 ? destination : destination.substring(0, colon);
    Ipv4Address to = address(api, receiver);

    List<Observation> seen;
    int exitCode;
    ByteArrayOutputStream complaint = new ByteArrayOutputStream();
    try (TraceStream trace =
        TraceStream.open(api, new TraceFilter(from.address(), to, number, 0, port))) {
      exitCode =
          ExecSession.run(
              api,
              from.execPath()
                  + ExecSession.query(
                      List.of("paramecium-probe", chosen, to.toString(), Integer.toString(port)),
                      "",
                      false,
                      false),
              null,
              OutputStream.nullOutputStream(),
              complaint);
      boolean answered = isAnswer(exitCode);
      trace.await(
          observations -> isOver(observations, answered),
          answered ? ANSWER_LIMIT : Duration.ofMillis(200));
      seen = trace.observations();
    }
    if (json) {
      return printJson(seen, exitCode, decisions(api, from, to, receiver, number, port));
    }
    int result =
        print(
            from.address(), to, seen, exitCode, complaint.toString(StandardCharsets.UTF_8).strip());
    if (!isAddress(receiver)) {
      PolicyDecisions.between(api, from, Pods.find(api, receiver, namespace), number, port)
          .forEach(System.out::println);
    }
    return result;
  }

  static boolean isAnswer(int exitCode) {
    return exitCode == 0 || exitCode == REFUSED;
  }

  /**
   * Both ways were seen from the pod that sent to the pod that received, whichever order the nodes
   * told it in.
   */
  private static boolean isOver(List<Observation> seen, boolean answered) {
    return answered
        && walk(seen, false).map(Walk::hasArrived).orElse(false)
        && walk(seen, true).map(Walk::hasArrived).orElse(false);
  }

  /** The probe's first packet in one direction. */
  private static Optional<Walk> walk(List<Observation> seen, boolean reply) {
    return Walk.first(Walk.byPacket(seen), reply, _ -> true);
  }

  private int print(
      Ipv4Address from, Ipv4Address to, List<Observation> seen, int exitCode, String complaint) {
    Optional<Walk> request = walk(seen, false);
    if (request.isEmpty() && from.equals(to)) {
      System.out.println(
          source + " is " + to + " itself: its packets stay on its lo and meet no program.");
      System.out.println();
      System.out.println(outcome(exitCode, complaint));
      return isAnswer(exitCode) ? 0 : UserError.FAILED;
    }
    if (request.isEmpty()) {
      throw new UserError(
          UserError.FAILED,
          "no packet from " + source + " to " + destination + " was seen on any node.");
    }
    WalkPrinter printer = new WalkPrinter(System.out, WalkPrinter.coloursWanted());
    printer.print("The request", request.get());
    Optional<Walk> reply = walk(seen, true);
    reply.ifPresent(walk -> printer.print("The reply", walk));
    Walk.pastTheDevices(seen).ifPresent(walk -> printer.print("Past the devices", walk));
    System.out.println();
    System.out.println(outcome(exitCode, complaint));
    return isAnswer(exitCode) ? 0 : UserError.FAILED;
  }

  private static String outcome(int exitCode, String complaint) {
    return switch (exitCode) {
      case 0 -> "Answered.";
      case REFUSED -> "Answered: connection refused, nobody listens there.";
      default -> "Not answered" + (complaint.isEmpty() ? "." : ": " + complaint + ".");
    };
  }

  /** The sender's decision and, if the receiver is a pod, its own; in this order. */
  private List<Decision> decisions(
      ApiHttp api, Pods.Pod from, Ipv4Address to, String receiver, int protocol, int port) {
    List<Question> questions =
        isAddress(receiver)
            ? List.of(Question.egress(from, to, port, protocol))
            : Question.between(from, Pods.find(api, receiver, namespace), port, protocol);
    Map<Question, Decision> answers = PolicyDecisions.answer(api, questions);
    return questions.stream().flatMap(q -> Stream.ofNullable(answers.get(q))).toList();
  }

  private static int printJson(List<Observation> seen, int exitCode, List<Decision> decisions)
      throws JsonProcessingException {
    ArrayNode array = ApiHttp.JSON.createArrayNode();
    int sequence = 0;
    for (boolean reply : new boolean[] {false, true}) {
      for (Observation observation : walk(seen, reply).map(Walk::steps).orElse(List.of())) {
        ObjectNode step = ObservationJson.write(++sequence, observation);
        if (!reply) {
          observation.lookups().forEach(lookup -> namePolicy(step, lookup, decisions));
        }
        array.add(step);
      }
    }
    System.out.println(ApiHttp.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(array));
    return isAnswer(exitCode) ? 0 : UserError.FAILED;
  }

  /** Beside the map entry that decided: the rule of which policy that entry comes from. */
  private static void namePolicy(
      ObjectNode step, Observation.Lookup lookup, List<Decision> decisions) {
    if (MapNames.policyMapEndpoint(lookup.map()) < 0) {
      return;
    }
    int side = lookup.key().startsWith("Egress") ? 0 : 1;
    if (side < decisions.size()) {
      step.put("policy", decisions.get(side).toString());
    }
  }

  private static boolean isAddress(String reference) {
    return reference.matches("[0-9.]+");
  }

  private Ipv4Address address(ApiHttp api, String reference) {
    if (isAddress(reference)) {
      try {
        return Ipv4Address.parse(reference);
      } catch (IllegalArgumentException e) {
        throw new UserError(UserError.USAGE, String.valueOf(e.getMessage()));
      }
    }
    return Pods.find(api, reference, namespace).address();
  }

  static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      if (port > 0 && port < 65536) {
        return port;
      }
    } catch (NumberFormatException _) {
      // The same sentence as for a number out of range.
    }
    throw new UserError(UserError.USAGE, "port \"" + text + "\" must be a number from 1 to 65535.");
  }

  static int protocolNumber(String protocol, int port) {
    int number =
        switch (protocol) {
          case "icmp" -> 1;
          case "tcp" -> 6;
          case "udp" -> 17;
          default ->
              throw new UserError(
                  UserError.USAGE,
                  "protocol \"" + protocol + "\" is not known: use tcp, udp or icmp.");
        };
    if (number != 1 && port == 0) {
      throw new UserError(UserError.USAGE, protocol + " needs a port: write DST:PORT.");
    }
    return number;
  }
}
