package dev.paramecium.trace;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.syscall.Observation;
import java.util.ArrayList;
import java.util.List;

/** An {@link Observation} as JSON, by the field names of {@code trace -o json}. */
public final class ObservationJson {

  private static final ObjectMapper JSON = new ObjectMapper();

  private ObservationJson() {}

  /**
   * One element of the array that {@code trace -o json} prints.
   *
   * @param seq its place in the whole trace
   */
  public static ObjectNode write(int seq, Observation observed) {
    ObjectNode json = JSON.createObjectNode();
    json.put("seq", seq);
    json.put("node", observed.node());
    json.put("step", observed.step());
    json.put("device", observed.device());
    json.put("ifindex", observed.ifindex());
    json.put("hook", observed.hook());
    json.put("program", observed.program());
    json.put("program_id", observed.programId());
    observed.functions().forEach(json.putArray("functions")::add);
    var lookups = json.putArray("lookups");
    for (Observation.Lookup lookup : observed.lookups()) {
      lookups
          .addObject()
          .put("map", lookup.map())
          .put("key", lookup.key())
          .put("value", lookup.value());
    }
    json.put("verdict", observed.verdict());
    json.put("reason", observed.reason());
    json.put("rule", observed.rule());
    json.put("direction", observed.reply() ? "reply" : "request");
    Observation.PacketSummary packet = observed.packet();
    ObjectNode carried = json.putObject("packet");
    carried.put("src", packet.source()).put("dst", packet.destination());
    if (packet.icmp().isEmpty()) {
      carried.put("sport", packet.sourcePort()).put("dport", packet.destinationPort());
    } else {
      carried.put("icmp", packet.icmp());
    }
    carried
        .put("protocol", packet.protocol())
        .put("flags", packet.flags())
        .put("ttl", packet.ttl())
        .put("length", packet.length())
        .put("payload_length", packet.payloadLength())
        .put("src_mac", packet.sourceMac())
        .put("dst_mac", packet.destinationMac());
    if (observed.vni() >= 0) {
      json.put("vni", observed.vni());
    } else {
      json.putNull("vni");
    }
    json.put("timestamp_ns", observed.timestampNs());
    json.put("node_sequence", observed.sequence());
    json.put("packet_id", Long.toUnsignedString(observed.packetId(), 16));
    return json;
  }

  /** What {@link #write} wrote. */
  public static Observation read(JsonNode json) {
    List<String> functions = new ArrayList<>();
    json.path("functions").forEach(function -> functions.add(function.asText()));
    List<Observation.Lookup> lookups = new ArrayList<>();
    for (JsonNode lookup : json.path("lookups")) {
      lookups.add(
          new Observation.Lookup(
              lookup.path("map").asText(),
              lookup.path("key").asText(),
              lookup.path("value").asText()));
    }
    JsonNode packet = json.path("packet");
    return new Observation(
        json.path("node").asText(),
        json.path("timestamp_ns").asLong(),
        json.path("node_sequence").asLong(),
        Long.parseUnsignedLong(json.path("packet_id").asText("0"), 16),
        json.path("step").asInt(),
        json.path("device").asText(),
        json.path("ifindex").asInt(),
        json.path("hook").asText(),
        json.path("program").asText(),
        json.path("program_id").asInt(),
        functions,
        lookups,
        json.path("verdict").asText(),
        json.path("reason").asText(),
        json.path("rule").asText(),
        json.path("direction").asText().equals("reply"),
        new Observation.PacketSummary(
            packet.path("src_mac").asText(),
            packet.path("dst_mac").asText(),
            packet.path("src").asText(),
            packet.path("dst").asText(),
            packet.path("sport").asInt(),
            packet.path("dport").asInt(),
            packet.path("protocol").asText(),
            packet.path("flags").asText(),
            packet.path("icmp").asText(),
            packet.path("ttl").asInt(),
            packet.path("length").asInt(),
            packet.path("payload_length").asInt()),
        json.path("vni").isNull() ? -1 : json.path("vni").asInt(-1));
  }
}
