package dev.paramecium.datapath.model;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.FragmentKey;
import dev.paramecium.abi.FragmentValue;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4AffinityKey;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.Lb4SourceRangeKey;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.LbAffinityValue;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.PolicyMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** All that a node's maps hold, read from them, and written back. */
public final class MapState {

  final Map<IpcacheKey, RemoteEndpointInfo> ipcache = new HashMap<>();
  final Map<Ipv4Address, EndpointInfo> endpoints = new HashMap<>();
  final Map<Ipv4Address, Ipv4Address> tunnel = new HashMap<>();
  final Map<Lb4Key, Lb4Service> services = new HashMap<>();
  final Map<Integer, Lb4Backend> backends = new HashMap<>();
  final Map<Integer, Lb4ReverseNat> reverseNat = new HashMap<>();
  final Set<LbAffinityMatch> affinityMatches = new HashSet<>();
  final Set<Lb4SourceRangeKey> sourceRanges = new HashSet<>();
  final Map<Integer, int[]> maglev = new HashMap<>();

  final Map<CtTuple, CtEntry> tcp = new HashMap<>();
  final Map<CtTuple, CtEntry> any = new HashMap<>();
  final Map<FragmentKey, FragmentValue> fragments = new HashMap<>();
  final Map<Lb4AffinityKey, LbAffinityValue> affinity = new HashMap<>();
  final Map<CtTuple, Ipv4NatEntry> nat = new HashMap<>();
  final Map<Ipv4Address, String> neighbors = new HashMap<>();
  final Map<MetricsKey, MetricsValue> metrics = new HashMap<>();
  final Map<Integer, Map<PolicyKey, PolicyEntry>> policies = new HashMap<>();

  private MapState() {}

  /**
   * @param policies by endpoint id
   */
  public static MapState of(CiliumMaps maps, Map<Integer, PolicyMap> policies) {
    MapState state = new MapState();
    read(maps.ipcache().map(), state.ipcache, IpcacheKey::decode, RemoteEndpointInfo::decode);
    read(maps.lxc().map(), state.endpoints, MapState::address, EndpointInfo::decode);
    read(maps.tunnel().map(), state.tunnel, MapState::address, MapState::address);
    read(maps.services().services(), state.services, Lb4Key::decode, Lb4Service::decode);
    read(maps.services().backends(), state.backends, Lb4Backend::decodeKey, Lb4Backend::decode);
    read(
        maps.services().reverseNat(),
        state.reverseNat,
        Lb4ReverseNat::decodeKey,
        Lb4ReverseNat::decode);
    maps.services()
        .affinityMatch()
        .forEach((key, _) -> state.affinityMatches.add(LbAffinityMatch.decode(key)));
    maps.services()
        .sourceRange()
        .forEach((key, _) -> state.sourceRanges.add(Lb4SourceRangeKey.decode(key)));
    maps.services()
        .maglev()
        .forEachInner(
            (key, inner) -> {
              int[] table = new int[inner.valueSize() / Integer.BYTES];
              for (int i = 0; i < table.length; i++) {
                table[i] = inner.i32(0, i * Integer.BYTES);
              }
              state.maglev.put((key[0] & 0xff) << 8 | key[1] & 0xff, table);
            });
    read(maps.conntrack().tcp(), state.tcp, CtTuple::decode, CtEntry::decode);
    read(maps.conntrack().any(), state.any, CtTuple::decode, CtEntry::decode);
    read(maps.fragments().map(), state.fragments, FragmentKey::decode, FragmentValue::decode);
    read(
        maps.services().affinity(),
        state.affinity,
        Lb4AffinityKey::decode,
        LbAffinityValue::decode);
    read(maps.nat().snat(), state.nat, CtTuple::decode, Ipv4NatEntry::decode);
    read(maps.nat().neighbors(), state.neighbors, MapState::rawAddress, HexFormat.of()::formatHex);
    read(maps.metrics().map(), state.metrics, MetricsKey::decode, MetricsValue::decode);
    policies.forEach(
        (id, policy) -> {
          Map<PolicyKey, PolicyEntry> entries = new HashMap<>();
          read(policy.map(), entries, PolicyKey::decode, PolicyEntry::decode);
          state.policies.put(id, entries);
        });
    return state;
  }

  private static <K, V> void read(
      BpfMap map, Map<K, V> into, Function<byte[], K> key, Function<byte[], V> value) {
    map.forEach((rawKey, rawValue) -> into.put(key.apply(rawKey), value.apply(rawValue)));
  }

  private static Ipv4Address address(byte[] key) {
    return EndpointKey.decode(key).address();
  }

  private static Ipv4Address rawAddress(byte[] key) {
    return new Ipv4Address(
        (key[0] & 0xff) << 24 | (key[1] & 0xff) << 16 | (key[2] & 0xff) << 8 | key[3] & 0xff);
  }

  /** Puts what programs change into maps. */
  public void writeBack(CiliumMaps maps, Map<Integer, PolicyMap> policyMaps) {
    write(maps.conntrack().tcp(), tcp, CtTuple::encode, CtEntry::encode);
    write(maps.conntrack().any(), any, CtTuple::encode, CtEntry::encode);
    write(maps.fragments().map(), fragments, FragmentKey::encode, FragmentValue::encode);
    write(maps.services().affinity(), affinity, Lb4AffinityKey::encode, LbAffinityValue::encode);
    write(maps.nat().snat(), nat, CtTuple::encode, Ipv4NatEntry::encode);
    write(maps.metrics().map(), metrics, MetricsKey::encode, MetricsValue::encode);
    policyMaps.forEach(
        (id, policy) ->
            write(
                policy.map(),
                policies.getOrDefault(id, Map.of()),
                PolicyKey::encode,
                PolicyEntry::encode));
  }

  private static <K, V> void write(
      BpfMap map, Map<K, V> from, Function<K, byte[]> key, Function<V, byte[]> value) {
    Set<String> left = new HashSet<>();
    from.forEach(
        (each, content) -> {
          map.update(key.apply(each), value.apply(content));
          left.add(HexFormat.of().formatHex(key.apply(each)));
        });
    Set<String> gone = new HashSet<>();
    map.forEach((rawKey, _) -> gone.add(HexFormat.of().formatHex(rawKey)));
    gone.removeAll(left);
    gone.forEach(each -> map.delete(HexFormat.of().parseHex(each)));
  }

  /** Every entry that programs may change, as text, for comparing. */
  public Map<String, String> changing() {
    Map<String, String> all = new TreeMap<>();
    tcp.forEach((key, value) -> all.put("ct4 " + key.format().strip(), value.toString()));
    any.forEach((key, value) -> all.put("ct_any4 " + key.format().strip(), value.toString()));
    fragments.forEach((key, value) -> all.put("fragment " + key, value.toString()));
    affinity.forEach((key, value) -> all.put("affinity " + key, value.toString()));
    nat.forEach((key, value) -> all.put("snat " + key.format().strip(), value.toString()));
    neighbors.forEach((key, value) -> all.put("neighbor " + key, value));
    metrics.forEach((key, value) -> all.put("metric " + key, value.toString()));
    policies.forEach(
        (id, entries) ->
            entries.forEach((key, value) -> all.put("policy " + id + " " + key, value.toString())));
    return all;
  }

  Map<CtTuple, CtEntry> conntrack(int protocol) {
    return protocol == IpProtocol.TCP ? tcp : any;
  }

  /** The longest prefix of {@code cilium_ipcache} that an address is in. */
  @Nullable RemoteEndpointInfo ipcache(Ipv4Address address) {
    for (int length = 32; length >= 0; length--) {
      Ipv4Address network = new Ipv4Address(address.value() & Ipv4Prefix.mask(length));
      RemoteEndpointInfo found = ipcache.get(new IpcacheKey(new Ipv4Prefix(network, length)));
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  void count(int reason, int direction, int bytes) {
    metrics.merge(
        new MetricsKey(reason, direction), new MetricsValue(1, bytes), MetricsValue::plus);
  }
}
