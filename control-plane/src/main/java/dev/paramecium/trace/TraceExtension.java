package dev.paramecium.trace;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.apiserver.rest.RestExtension;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import io.netty.handler.codec.http.HttpMethod;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;

/**
 * {@code POST traces}: follows what matches a filter until the client hangs up. The first line says
 * that all taps are set.
 */
public final class TraceExtension implements RestExtension {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ActorSystem<?> system;

  public TraceExtension(ActorSystem<?> system) {
    this.system = system;
  }

  @Override
  public String path() {
    return "traces";
  }

  @Override
  public HttpMethod method() {
    return HttpMethod.POST;
  }

  @Override
  public Runnable handle(ObjectNode body, Response response) {
    TraceFilter filter;
    try {
      filter =
          new TraceFilter(
              Ipv4Address.parse(body.path("source").asText()),
              Ipv4Address.parse(body.path("destination").asText()),
              body.path("protocol").asInt(),
              body.path("sourcePort").asInt(),
              body.path("destinationPort").asInt());
    } catch (IllegalArgumentException e) {
      response.fail(400, "BadRequest", String.valueOf(e.getMessage()));
      return () -> {};
    }
    String traceId = UUID.randomUUID().toString();
    ActorRef<TraceSession.Command> session =
        system.systemActorOf(
            TraceSession.create(traceId, filter, new Lines(response)),
            "trace-" + traceId,
            Props.empty());
    return () -> session.tell(new TraceSession.Stop());
  }

  private static final class Lines implements TraceSession.Sink {

    private final Response response;
    private int sequence;

    Lines(Response response) {
      this.response = response;
    }

    @Override
    public void armed(int nodes, int missing) {
      response.send(JSON.createObjectNode().put("armed", nodes).put("missing", missing));
    }

    @Override
    public void observed(Observation observation) {
      response.send(ObservationJson.write(++sequence, observation));
    }
  }
}
