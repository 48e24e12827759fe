package dev.paramecium.conformance;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.FragmentKey;
import dev.paramecium.abi.FragmentValue;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4AffinityKey;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.LbAffinityValue;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.map.CiliumMaps;
import java.util.List;
import java.util.Map;

/** Puts {@code maps_before} into maps. */
final class MapFiller {

  /** In the order of the bits. */
  static final List<String> CT_FLAGS =
      List.of(
          "rx_closing",
          "tx_closing",
          "nat46",
          "lb_loopback",
          "seen_non_syn",
          "node_port",
          "proxy_redirect",
          "dsr",
          "from_l7lb");

  private static final int NO_PROTOCOL = 0;

  private final CiliumMaps maps;
  private final int now;

  private MapFiller(CiliumMaps maps, int now) {
    this.maps = maps;
    this.now = now;
  }

  static void fill(Fields before, CiliumMaps maps, Map<String, Replay.Endpoint> endpoints, int now)
      throws MalformedVectorException {
    MapFiller filler = new MapFiller(maps, now);
    filler.ipcache(before.object("ipcache"));
    filler.endpoints(before.object("endpoints"));
    filler.tunnel(before.object("tunnel_map"));
    policy(before.object("policy"), endpoints);
    filler.services(before);
    filler.conntrack(before);
    filler.fragments(before);
    filler.affinity(before);
  }

  private static void put(BpfMap map, byte[] key, byte[] value) {
    if (map.update(key, value) != null) {
      throw new IllegalStateException(map.name() + " refuses an entry");
    }
  }

  private void ipcache(Fields ipcache) throws MalformedVectorException {
    for (Map.Entry<String, Fields> entry : ipcache.entries().entrySet()) {
      Fields value = entry.getValue();
      Ipv4Address tunnel =
          value.has("tunnel_endpoint") ? value.address("tunnel_endpoint") : new Ipv4Address(0);
      put(
          maps.ipcache().map(),
          new IpcacheKey(ipcache.prefixName(entry.getKey())).encode(),
          new RemoteEndpointInfo(value.word("identity"), tunnel).encode());
    }
  }

  private void endpoints(Fields endpoints) throws MalformedVectorException {
    for (Map.Entry<String, Fields> entry : endpoints.entries().entrySet()) {
      Fields value = entry.getValue();
      put(
          maps.lxc().map(),
          new EndpointKey(endpoints.addressName(entry.getKey())).encode(),
          new EndpointInfo(
                  value.word("ifindex"),
                  value.small("lxc_id", 65535),
                  value.word("flags"),
                  value.mac("mac"),
                  value.mac("node_mac"))
              .encode());
    }
  }

  private void tunnel(Fields tunnel) throws MalformedVectorException {
    for (String network : tunnel.names()) {
      put(
          maps.tunnel().map(),
          new EndpointKey(tunnel.addressName(network)).encode(),
          new EndpointKey(tunnel.address(network)).encode());
    }
  }

  private static void policy(Fields policy, Map<String, Replay.Endpoint> endpoints)
      throws MalformedVectorException {
    for (String name : policy.names()) {
      Replay.Endpoint endpoint = endpoints.get(name);
      if (endpoint == null) {
        throw policy.unknown(name, "must name one of " + endpoints.keySet());
      }
      for (Fields rule : policy.objects(name)) {
        put(
            endpoint.policy().map(),
            policyKey(rule).encode(),
            new PolicyEntry(rule.small("proxy_port", 65535), rule.flag("deny"), 0, 0).encode());
      }
    }
  }

  static PolicyKey policyKey(Fields rule) throws MalformedVectorException {
    String direction = rule.text("dir");
    if (!direction.equals("ingress") && !direction.equals("egress")) {
      throw rule.unknown("dir", "must be ingress or egress, is \"" + direction + "\"");
    }
    return new PolicyKey(
        rule.word("identity"),
        rule.small("port", 65535),
        rule.small("proto", 255),
        direction.equals("egress"));
  }

  private void services(Fields before) throws MalformedVectorException {
    for (Fields backend : before.objects("backends")) {
      put(
          maps.services().backends(),
          Lb4Backend.encodeKey(backend.word("id")),
          new Lb4Backend(
                  backend.address("address"),
                  backend.small("port", 65535),
                  NO_PROTOCOL,
                  backend.small("flags", 255))
              .encode());
    }
    for (Fields entry : before.objects("revnat")) {
      put(
          maps.services().reverseNat(),
          Lb4ReverseNat.encodeKey(entry.small("index", 65535)),
          new Lb4ReverseNat(entry.address("address"), entry.small("port", 65535)).encode());
    }
    for (Fields service : before.objects("services")) {
      service(service);
    }
  }

  private void service(Fields service) throws MalformedVectorException {
    Lb4Key key = new Lb4Key(service.address("address"), service.small("port", 65535));
    int revNatIndex = service.small("rev_nat_index", 65535);
    put(
        maps.services().services(),
        key.encode(),
        new Lb4Service(
                (int) service.number("affinity_timeout", 0),
                service.small("count", 65535),
                revNatIndex,
                service.small("flags", 255),
                (int) service.number("flags2", 0))
            .encode());
    List<Integer> backends = service.numbers("backend_ids");
    for (int i = 0; i < backends.size(); i++) {
      put(
          maps.services().services(),
          key.withBackendSlot(i + 1).encode(),
          new Lb4Service(backends.get(i), 0, revNatIndex, 0, 0).encode());
      if (service.has("affinity_match") && service.flag("affinity_match")) {
        put(
            maps.services().affinityMatch(),
            new LbAffinityMatch(backends.get(i), revNatIndex).encode(),
            new byte[1]);
      }
    }
  }

  private void conntrack(Fields before) throws MalformedVectorException {
    for (Fields entry : before.objects("ct")) {
      CtTuple tuple = tuple(entry.object("tuple"));
      put(maps.conntrack().of(tuple.nexthdr()), tuple.encode(), ctEntry(entry).encode());
    }
  }

  private static CtTuple tuple(Fields tuple) throws MalformedVectorException {
    return new CtTuple(
        tuple.address("daddr"),
        tuple.address("saddr"),
        tuple.small("dport", 65535),
        tuple.small("sport", 65535),
        tuple.small("nexthdr", 255),
        tuple.small("flags", 255));
  }

  private CtEntry ctEntry(Fields entry) throws MalformedVectorException {
    int flags = 0;
    for (String flag : entry.texts("flags")) {
      int bit = CT_FLAGS.indexOf(flag);
      if (bit < 0) {
        throw entry.unknown("flags", "must hold some of " + CT_FLAGS + ", holds " + flag);
      }
      flags |= 1 << bit;
    }
    return new CtEntry(
        entry.number("rx_packets"),
        entry.number("rx_bytes_or_backend_id"),
        entry.number("tx_packets"),
        entry.number("tx_bytes"),
        now + entry.word("lifetime_minus_now"),
        flags,
        entry.small("rev_nat_index", 65535),
        entry.small("ifindex", 65535),
        entry.small("tx_flags_seen", 255),
        entry.small("rx_flags_seen", 255),
        entry.word("src_sec_id"),
        report(entry, "last_tx_report_age"),
        report(entry, "last_rx_report_age"));
  }

  /** Null means never. */
  private int report(Fields entry, String field) throws MalformedVectorException {
    return entry.has(field) ? now - entry.word(field) : 0;
  }

  private void fragments(Fields before) throws MalformedVectorException {
    for (Fields fragment : before.objects("fragments")) {
      put(
          maps.fragments().map(),
          new FragmentKey(
                  fragment.address("daddr"),
                  fragment.address("saddr"),
                  fragment.small("id", 65535),
                  fragment.small("proto", 255))
              .encode(),
          new FragmentValue(fragment.small("sport", 65535), fragment.small("dport", 65535))
              .encode());
    }
  }

  private void affinity(Fields before) throws MalformedVectorException {
    for (Fields entry : before.objects("affinity")) {
      put(
          maps.services().affinity(),
          Lb4AffinityKey.ofClient(entry.address("client"), entry.small("rev_nat_id", 65535))
              .encode(),
          new LbAffinityValue(now - entry.number("last_used_age"), entry.word("backend_id"))
              .encode());
    }
  }
}
