package dev.paramecium.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.syscall.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

final class LpmTrieTest {

  private static final int IPV4 = 0x0100_0000;

  private static LpmTrie ipcache(int maxEntries) {
    return LpmTrie.withStaticWord(
        1, "cilium_ipcache", IpcacheKey.SIZE, RemoteEndpointInfo.SIZE, maxEntries, IPV4);
  }

  private static void put(LpmTrie trie, String prefix, int identity) {
    assertThat(
            trie.update(
                new IpcacheKey(Ipv4Prefix.parse(prefix)).encode(),
                new RemoteEndpointInfo(identity, Ipv4Address.ANY).encode()))
        .isNull();
  }

  private static int identity(LpmTrie trie, String address) {
    LpmTrie.Entry entry = trie.find(Ipv4Address.parse(address).value());
    return entry == null ? 0 : entry.i32(RemoteEndpointInfo.SEC_LABEL);
  }

  @Test
  void theLongestPrefixWins() {
    LpmTrie trie = ipcache(100);
    put(trie, "0.0.0.0/0", 2);
    put(trie, "10.42.0.0/16", 100);
    put(trie, "10.42.1.80/32", 4521);
    put(trie, "10.42.1.0/25", 200);

    assertThat(identity(trie, "8.8.8.8")).isEqualTo(2);
    assertThat(identity(trie, "10.42.7.7")).isEqualTo(100);
    assertThat(identity(trie, "10.42.1.80")).isEqualTo(4521);
    assertThat(identity(trie, "10.42.1.81")).isEqualTo(200);
    assertThat(identity(trie, "10.42.1.128")).isEqualTo(100);
  }

  @Test
  void anIpcacheEntryReadsInPlaceAsTheAgentWroteIt() {
    LpmTrie trie = ipcache(10);
    RemoteEndpointInfo info = new RemoteEndpointInfo(15773, Ipv4Address.parse("192.168.1.13"), 3);
    trie.update(new IpcacheKey(Ipv4Address.parse("10.42.0.51")).encode(), info.encode());

    LpmTrie.Entry entry = trie.find(Ipv4Address.parse("10.42.0.51").value());

    assertThat(entry).isNotNull();
    assertThat(entry.i32(RemoteEndpointInfo.SEC_LABEL)).isEqualTo(15773);
    assertThat(Integer.reverseBytes(entry.i32(RemoteEndpointInfo.TUNNEL_ENDPOINT)))
        .isEqualTo(info.tunnelEndpoint().value());
    assertThat(entry.u8(RemoteEndpointInfo.KEY)).isEqualTo(3);
  }

  @Test
  void aFullTrieRefusesNewPrefixesAndStillReplacesOldOnes() {
    LpmTrie trie = ipcache(2);
    put(trie, "10.0.0.0/8", 1);
    put(trie, "10.1.0.0/16", 2);
    byte[] third = new IpcacheKey(Ipv4Prefix.parse("10.2.0.0/16")).encode();

    assertThat(trie.update(third, new byte[RemoteEndpointInfo.SIZE])).isEqualTo(Errno.ENOSPC);
    put(trie, "10.1.0.0/16", 7);
    assertThat(identity(trie, "10.1.2.3")).isEqualTo(7);
    assertThat(trie.size()).isEqualTo(2);
  }

  @Test
  void keysThatAreNotOfThisTrieAreRefused() {
    LpmTrie trie = ipcache(10);
    byte[] value = new byte[RemoteEndpointInfo.SIZE];
    byte[] ipv6 = new IpcacheKey(Ipv4Address.ANY).encode();
    ipv6[7] = 2;
    byte[] tooLong = new IpcacheKey(Ipv4Address.ANY).encode();
    tooLong[0] = 65;
    byte[] tooShort = new IpcacheKey(Ipv4Address.ANY).encode();
    tooShort[0] = 31;

    assertThat(trie.update(ipv6, value)).isEqualTo(Errno.EINVAL);
    assertThat(trie.update(tooLong, value)).isEqualTo(Errno.EINVAL);
    assertThat(trie.update(tooShort, value)).isEqualTo(Errno.EINVAL);
    assertThat(trie.update(new byte[8], value)).isEqualTo(Errno.EINVAL);
    assertThat(trie.delete(tooLong)).isFalse();
    assertThat(trie.lookup(tooShort)).isNull();
    assertThat(trie.size()).isZero();
  }

  @Test
  void staticWordsAreSeparateTries() {
    LpmTrie trie = LpmTrie.withStaticWords(1, "cilium_lb4_source_range", 1, 100);
    int address = Ipv4Address.parse("192.0.2.0").value();
    for (int service : new int[] {7, -3, 900, 0}) {
      assertThat(trie.update(service, address, 24, new byte[] {(byte) service})).isNull();
    }
    assertThat(trie.find(900, address + 5).u8(0)).isEqualTo(900 & 0xff);
    assertThat(trie.find(-3, address + 5).u8(0)).isEqualTo(-3 & 0xff);
    assertThat(trie.find(0, address + 5)).isNotNull();
    assertThat(trie.find(8, address + 5)).isNull();
    assertThat(trie.remove(900, address, 24)).isTrue();
    assertThat(trie.find(900, address + 5)).isNull();
    assertThat(trie.find(7, address + 5)).isNotNull();
  }

  @Test
  void userlandsLookupDoesNotLookDeeperThanItsOwnPrefix() {
    LpmTrie trie = ipcache(10);
    put(trie, "10.0.0.0/8", 8);
    put(trie, "10.1.0.0/16", 16);
    put(trie, "10.1.0.0/24", 24);

    byte[] found = trie.lookup(new IpcacheKey(Ipv4Prefix.parse("10.1.0.0/20")).encode());
    assertThat(RemoteEndpointInfo.decode(found).securityIdentity()).isEqualTo(16);
    found = trie.lookup(new IpcacheKey(Ipv4Address.parse("10.1.0.9")).encode());
    assertThat(RemoteEndpointInfo.decode(found).securityIdentity()).isEqualTo(24);
    assertThat(trie.lookup(new IpcacheKey(Ipv4Prefix.parse("11.0.0.0/20")).encode())).isNull();
  }

  /** What a trie is asked to do, with prefixes that often contain one another. */
  record Operation(boolean remove, Ipv4Prefix prefix, int value) {}

  private static Arbitrary<Integer> addresses() {
    return Arbitraries.oneOf(
        Combinators.combine(
                Arbitraries.of(0x0a000000, 0x0a2a0000, 0x0a2a0100, 0xffffff00, 0),
                Arbitraries.integers().between(0, 0x3ff))
            .as((base, low) -> base + low),
        Arbitraries.integers());
  }

  @Provide
  Arbitrary<List<Operation>> operations() {
    Arbitrary<Ipv4Prefix> prefixes =
        Combinators.combine(addresses(), Arbitraries.integers().between(0, 32))
            .as((address, length) -> new Ipv4Prefix(new Ipv4Address(address), length));
    return Combinators.combine(
            Arbitraries.of(false, false, true), prefixes, Arbitraries.integers().between(1, 1000))
        .as(Operation::new)
        .list()
        .ofMaxSize(60);
  }

  @Provide
  Arbitrary<List<Integer>> probes() {
    return addresses().list().ofSize(30);
  }

  @Property(tries = 300)
  void agreesWithAListOfPrefixes(
      @ForAll("operations") List<Operation> operations, @ForAll("probes") List<Integer> probes) {
    LpmTrie trie = ipcache(1000);
    Map<String, Operation> model = new TreeMap<>();
    List<Integer> all = new ArrayList<>(probes);
    for (Operation operation : operations) {
      Ipv4Prefix prefix = operation.prefix;
      byte[] key = new IpcacheKey(prefix).encode();
      if (operation.remove && !model.isEmpty()) {
        // Half of the removals name a prefix that is there.
        Operation victim = operation.value % 2 == 0 ? operation : model.values().iterator().next();
        boolean there = model.remove(victim.prefix.toString()) != null;
        assertThat(trie.delete(new IpcacheKey(victim.prefix).encode())).isEqualTo(there);
      } else {
        model.put(prefix.toString(), operation);
        trie.update(key, new RemoteEndpointInfo(operation.value, Ipv4Address.ANY).encode());
      }
      all.add(prefix.address().value());
      all.add(prefix.address().value() + (int) (prefix.size() - 1));
      all.add(prefix.address().value() + (int) prefix.size());
      for (int address : all) {
        LpmTrie.Entry found = trie.find(address);
        Operation expected = longest(model, address);
        assertThat(found == null ? 0 : found.i32(0))
            .as("%s among %s", Ipv4Address.format(address), model.keySet())
            .isEqualTo(expected == null ? 0 : expected.value);
        if (found != null && expected != null) {
          assertThat(found.length()).isEqualTo(expected.prefix.length());
          assertThat(found.address()).isEqualTo(expected.prefix.address().value());
        }
      }
      assertThat(trie.size()).isEqualTo(model.size());
    }
    Map<String, Integer> dumped = new TreeMap<>();
    trie.forEach(
        (key, value) ->
            dumped.put(
                IpcacheKey.decode(key).prefix().toString(),
                RemoteEndpointInfo.decode(value).securityIdentity()));
    assertThat(dumped).hasSameSizeAs(model);
    model.forEach((prefix, operation) -> assertThat(dumped).containsEntry(prefix, operation.value));
  }

  private static Operation longest(Map<String, Operation> model, int address) {
    Operation best = null;
    for (Operation candidate : model.values()) {
      if (candidate.prefix.contains(new Ipv4Address(address))
          && (best == null || candidate.prefix.length() > best.prefix.length())) {
        best = candidate;
      }
    }
    return best;
  }

  @Test
  void aReaderAlwaysFindsThePrefixThatNobodyTouches() throws Exception {
    LpmTrie trie = ipcache(1000);
    put(trie, "10.0.0.0/8", 8);
    put(trie, "10.1.1.1/32", 32);
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      Future<?> reader =
          threads.submit(
              () -> {
                int stable = Ipv4Address.parse("10.1.1.1").value();
                int changing = Ipv4Address.parse("10.1.1.2").value();
                while (!done.get()) {
                  assertThat(trie.find(stable).length()).isEqualTo(32);
                  assertThat(trie.find(changing).length()).isIn(8, 16, 24, 30);
                }
              });
      try {
        for (int i = 0; i < 20_000; i++) {
          put(trie, "10.1.0.0/16", 16);
          put(trie, "10.1.1.0/24", 24);
          put(trie, "10.1.1.0/30", 30);
          for (String prefix : List.of("10.1.1.0/24", "10.1.0.0/16", "10.1.1.0/30")) {
            trie.delete(new IpcacheKey(Ipv4Prefix.parse(prefix)).encode());
          }
        }
      } finally {
        done.set(true);
      }
      reader.get();
    }
  }
}
