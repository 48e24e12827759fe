package dev.paramecium.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.FragmentKey;
import dev.paramecium.abi.FragmentValue;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4AffinityKey;
import dev.paramecium.abi.LbAffinityValue;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.syscall.PerfRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * Describes what happened in the words of a vector and compares. What the description has is
 * compared; what only the vector has (names beside numbers, hash, source line) is not.
 */
final class Comparison {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final String[] DIRECTIONS = {"unknown", "ingress", "egress", "service"};

  private final Fields step;
  private final JsonNode expected;
  private final CiliumMaps maps;
  private final Map<String, Replay.Endpoint> endpoints;
  private final int now;
  private final List<Difference> differences = new ArrayList<>();

  Comparison(Fields step, CiliumMaps maps, Map<String, Replay.Endpoint> endpoints, int now) {
    this.step = step;
    this.expected = step.json();
    this.maps = maps;
    this.endpoints = endpoints;
    this.now = now;
  }

  List<Difference> compare(
      int verdict, SkBuff packet, PerfEventArray.Reader events, Snapshot before)
      throws MalformedVectorException {
    field("verdict", JSON.numberNode(verdict));
    field("redirect", redirect(verdict, packet));
    field("tunnel_key", tunnelKey(packet));
    field("packet_out", JSON.textNode(HexFormat.of().formatHex(packet.toByteArray())));
    field("mark_out", JSON.numberNode(packet.mark & 0xffff_ffffL));
    events(events);
    set("metrics_delta", metrics(before));
    set("ct_after", conntrack());
    set("fragments_after", fragments());
    set("affinity_after", affinity());
    policyCounters(before);
    return differences;
  }

  // ---- comparing

  private void field(String name, JsonNode got) {
    JsonNode wanted = expected.get(name);
    if (wanted == null) {
      differences.add(new Difference(name, "a value in the vector", "none there"));
    } else {
      compare(name, wanted, got);
    }
  }

  private void compare(String place, JsonNode wanted, JsonNode got) {
    if (got.isObject() && wanted.isObject()) {
      for (Map.Entry<String, JsonNode> entry : got.properties()) {
        JsonNode other = wanted.get(entry.getKey());
        if (other != null) {
          compare(place + "." + entry.getKey(), other, entry.getValue());
        }
      }
    } else if (got.isNumber() && wanted.isNumber()
        ? got.longValue() != wanted.longValue()
        : !got.equals(wanted)) {
      differences.add(new Difference(place, wanted.toString(), got.toString()));
    }
  }

  /** Of lists whose order says nothing: sorted by what the description holds. */
  private void set(String name, List<ObjectNode> got) {
    JsonNode wanted = expected.get(name);
    if (wanted == null || !wanted.isArray()) {
      differences.add(new Difference(name, "a list in the vector", String.valueOf(wanted)));
      return;
    }
    List<JsonNode> left = new ArrayList<>();
    wanted.forEach(left::add);
    for (ObjectNode entry : got) {
      if (!left.removeIf(other -> matches(other, entry))) {
        differences.add(new Difference(name, "no such entry", entry.toString()));
      }
    }
    for (JsonNode missing : left) {
      differences.add(new Difference(name, missing.toString(), "no such entry"));
    }
  }

  private static boolean matches(JsonNode wanted, ObjectNode got) {
    for (Map.Entry<String, JsonNode> entry : got.properties()) {
      JsonNode value = entry.getValue();
      JsonNode other = wanted.get(entry.getKey());
      boolean same =
          other != null
              && switch (value) {
                case ObjectNode object -> matches(other, object);
                case JsonNode number when number.isNumber() && other.isNumber() ->
                    number.longValue() == other.longValue();
                default -> value.equals(other);
              };
      if (!same) {
        return false;
      }
    }
    return true;
  }

  // ---- the packet

  private static JsonNode redirect(int verdict, SkBuff packet) {
    return verdict == Verdict.REDIRECT
        ? JSON.objectNode()
            .put("ifindex", packet.redirectIfindex)
            .put("flags", packet.redirectFlags)
        : JSON.nullNode();
  }

  /** Only what a program set: what came in has no TTL. */
  private static JsonNode tunnelKey(SkBuff packet) {
    return packet.hasTunnelKey && packet.tunnelTtl != 0
        ? JSON.objectNode()
            .put("vni", packet.tunnelId)
            .put("remote", new Ipv4Address(packet.tunnelRemote).toString())
            .put("ttl", packet.tunnelTtl)
        : JSON.nullNode();
  }

  // ---- events

  private void events(PerfEventArray.Reader reader) {
    ArrayNode got = JSON.arrayNode();
    for (PerfRecord record = reader.poll(); record != null; record = reader.poll()) {
      MonitorEvent event = MonitorEvent.decode(record.bytes());
      if (event != null) {
        got.add(describe(event));
      }
    }
    JsonNode wanted = expected.path("events");
    for (int i = 0; i < Math.max(wanted.size(), got.size()); i++) {
      String place = "events[" + i + "]";
      if (i >= wanted.size()) {
        differences.add(new Difference(place, "no event", got.get(i).toString()));
      } else if (i >= got.size()) {
        differences.add(new Difference(place, wanted.get(i).toString(), "no event"));
      } else {
        compare(place, wanted.get(i), got.get(i));
      }
    }
  }

  private static ObjectNode describe(MonitorEvent event) {
    ObjectNode got =
        JSON.objectNode()
            .put("source", event.source())
            .put("len_orig", event.originalLength())
            .put("len_cap", event.captured().length)
            .put("version", MonitorEvent.VERSION)
            .put("packet", HexFormat.of().formatHex(event.captured()));
    switch (event) {
      case TraceNotify trace ->
          got.put("type_code", MonitorEvent.TYPE_TRACE)
              .put("subtype_code", trace.point())
              .put("src_label", trace.sourceLabel() & 0xffff_ffffL)
              .put("dst_label", trace.destinationLabel() & 0xffff_ffffL)
              .put("dst_id", trace.destinationId())
              .put("reason_code", trace.reason())
              .put("ipv6", trace.ipv6() ? 1 : 0)
              .put("ifindex", trace.ifindex())
              .put("orig_ip", trace.originalIp().toString());
      case DropNotify drop ->
          got.put("type_code", MonitorEvent.TYPE_DROP)
              .put("subtype_code", drop.reason())
              .put("src_label", drop.sourceLabel() & 0xffff_ffffL)
              .put("dst_label", drop.destinationLabel() & 0xffff_ffffL)
              .put("dst_id", drop.destinationId())
              .put("ext_error", drop.extError());
      case PolicyVerdictNotify verdict ->
          got.put("type_code", MonitorEvent.TYPE_POLICY_VERDICT)
              .put("subtype_code", 0)
              .put("remote_label", verdict.remoteLabel() & 0xffff_ffffL)
              .put("verdict", verdict.verdict())
              .put("dst_port", verdict.destinationPort())
              .put("proto", verdict.protocol())
              .put("dir", DIRECTIONS[verdict.direction()])
              .put("match_code", verdict.match())
              .put("audited", verdict.audited() ? 1 : 0);
    }
    return got;
  }

  // ---- maps

  private List<ObjectNode> metrics(Snapshot before) {
    List<ObjectNode> all = new ArrayList<>();
    Snapshot.of(maps, endpoints)
        .metrics()
        .forEach(
            (key, value) -> {
              MetricsValue old = before.metrics().getOrDefault(key, new MetricsValue(0, 0));
              if (value.count() != old.count()) {
                all.add(
                    JSON.objectNode()
                        .put("reason", key.reason())
                        .put("dir", key.directionName().toLowerCase(Locale.ROOT))
                        .put("count", value.count() - old.count())
                        .put("bytes", value.bytes() - old.bytes()));
              }
            });
    return all;
  }

  private static List<ObjectNode> dump(
      BpfMap map, BiFunction<byte[], byte[], ObjectNode> describe) {
    List<ObjectNode> all = new ArrayList<>();
    map.forEach((key, value) -> all.add(describe.apply(key, value)));
    all.sort(Comparator.comparing(ObjectNode::toString));
    return all;
  }

  private List<ObjectNode> conntrack() {
    List<ObjectNode> all = dump(maps.conntrack().tcp(), this::ctEntry);
    all.addAll(dump(maps.conntrack().any(), this::ctEntry));
    return all;
  }

  private ObjectNode ctEntry(byte[] key, byte[] value) {
    CtTuple tuple = CtTuple.decode(key);
    CtEntry entry = CtEntry.decode(value);
    ObjectNode got = JSON.objectNode();
    got.put("key", HexFormat.of().formatHex(key));
    got.set(
        "tuple",
        JSON.objectNode()
            .put("daddr", tuple.daddr().toString())
            .put("saddr", tuple.saddr().toString())
            .put("dport", tuple.dport())
            .put("sport", tuple.sport())
            .put("nexthdr", tuple.nexthdr())
            .put("flags", tuple.flags()));
    got.put("rx_packets", entry.rxPackets())
        .put("rx_bytes_or_backend_id", entry.rxBytes())
        .put("tx_packets", entry.txPackets())
        .put("tx_bytes", entry.txBytes())
        .put("lifetime_minus_now", entry.lifetime() - now)
        .put("rev_nat_index", entry.revNatIndex())
        .put("ifindex", entry.ifindex())
        .put("tx_flags_seen", entry.txFlagsSeen())
        .put("rx_flags_seen", entry.rxFlagsSeen())
        .put("src_sec_id", entry.sourceSecurityIdentity() & 0xffff_ffffL);
    ArrayNode flags = got.putArray("flags");
    for (int bit = 0; bit < MapFiller.CT_FLAGS.size(); bit++) {
      if ((entry.flags() & 1 << bit) != 0) {
        flags.add(MapFiller.CT_FLAGS.get(bit));
      }
    }
    putAge(got, "last_tx_report_age", entry.lastTxReport());
    putAge(got, "last_rx_report_age", entry.lastRxReport());
    return got;
  }

  private void putAge(ObjectNode got, String field, int report) {
    if (report == 0) {
      got.putNull(field);
    } else {
      got.put(field, now - report);
    }
  }

  private List<ObjectNode> fragments() {
    return dump(
        maps.fragments().map(),
        (keyBytes, valueBytes) -> {
          FragmentKey key = FragmentKey.decode(keyBytes);
          FragmentValue value = FragmentValue.decode(valueBytes);
          return JSON.objectNode()
              .put("daddr", key.daddr().toString())
              .put("saddr", key.saddr().toString())
              .put("id", key.id())
              .put("proto", key.protocol())
              .put("sport", value.sport())
              .put("dport", value.dport());
        });
  }

  private List<ObjectNode> affinity() {
    return dump(
        maps.services().affinity(),
        (keyBytes, valueBytes) -> {
          Lb4AffinityKey key = Lb4AffinityKey.decode(keyBytes);
          LbAffinityValue value = LbAffinityValue.decode(valueBytes);
          return JSON.objectNode()
              .put("client", new Ipv4Address(Integer.reverseBytes((int) key.clientId())).toString())
              .put("rev_nat_id", key.revNatIndex())
              .put("netns_cookie", key.netnsCookie() ? 1 : 0)
              .put("last_used_age", now - value.lastUsed())
              .put("backend_id", value.backendId());
        });
  }

  /**
   * Vectors hold the counters of all packets of their story, but not those before the last: of each
   * entry, what this packet added must be part of what the vector has.
   */
  private void policyCounters(Snapshot before) throws MalformedVectorException {
    if (!step.has("policy_counters_after")) {
      return;
    }
    Snapshot after = Snapshot.of(maps, endpoints);
    List<Fields> listed = step.objects("policy_counters_after");
    for (Map.Entry<String, Map<PolicyKey, PolicyEntry>> endpoint : after.policy().entrySet()) {
      Map<PolicyKey, PolicyEntry> old = before.policy().getOrDefault(endpoint.getKey(), Map.of());
      for (Map.Entry<PolicyKey, PolicyEntry> entry : endpoint.getValue().entrySet()) {
        PolicyEntry then = old.getOrDefault(entry.getKey(), PolicyEntry.ALLOW);
        long packets = entry.getValue().packets() - then.packets();
        long bytes = entry.getValue().bytes() - then.bytes();
        policyCounter(listed, endpoint.getKey(), entry.getKey(), packets, bytes);
      }
    }
  }

  private void policyCounter(
      List<Fields> listed, String endpoint, PolicyKey key, long packets, long bytes)
      throws MalformedVectorException {
    long wantedPackets = 0;
    long wantedBytes = 0;
    for (Fields counter : listed) {
      if (counter.text("endpoint").equals(endpoint) && MapFiller.policyKey(counter).equals(key)) {
        wantedPackets = counter.number("packets");
        wantedBytes = counter.number("bytes");
      }
    }
    boolean contained =
        packets <= wantedPackets
            && bytes <= wantedBytes
            && (packets == wantedPackets) == (bytes == wantedBytes);
    if (!contained) {
      differences.add(
          new Difference(
              "policy_counters_after[" + endpoint + " " + key + "]",
              wantedPackets + " packets, " + wantedBytes + " bytes",
              "+" + packets + " packets, +" + bytes + " bytes"));
    }
  }
}
