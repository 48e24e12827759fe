package dev.paramecium.bpf;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.RemoteEndpointInfo;
import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Lookups in a conntrack map of 65,536 entries and in an ipcache of 65,536 pods and 513 networks,
 * in random order, against the collections that one would take otherwise; and what the pool and a
 * tail call cost. {@code main} prints the ratios.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class MapBenchmark {

  private static final int ENTRIES = 65_536;

  private final BpfHashMap conntrack =
      BpfHashMap.hash(1, "ct", CtTuple.SIZE, CtEntry.SIZE, 524_288);
  private final BpfHashMap conntrackLru =
      BpfHashMap.lru(2, "ct", CtTuple.SIZE, CtEntry.SIZE, 524_288);
  private final Map<CtTuple, CtEntry> hashMap = new HashMap<>();
  private final LpmTrie ipcache =
      LpmTrie.withStaticWord(
          3, "ipcache", IpcacheKey.SIZE, RemoteEndpointInfo.SIZE, 512_000, 0x0100_0000);
  private final Map<Integer, RemoteEndpointInfo> pods = new HashMap<>();
  private final Map<Integer, RemoteEndpointInfo> networks = new HashMap<>();
  private final RemoteEndpointInfo world = new RemoteEndpointInfo(2, Ipv4Address.ANY);

  private final long[] k0 = new long[ENTRIES];
  private final long[] k1 = new long[ENTRIES];
  private final CtTuple[] tuples = new CtTuple[ENTRIES];
  private final int[] addresses = new int[ENTRIES];
  private int next;

  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 1024);
  private final ProgramArray calls = new ProgramArray(4, "calls", 33, _ -> null);
  private final Program entry =
      packet -> calls.tailCall(packet, 7) ? Verdict.TAIL_CALL : Verdict.SHOT;
  private final SkBuff packet = pool.take();

  @Setup
  public void fill() {
    RandomSource random = RandomSource.seeded(4711);
    for (int i = 0; i < ENTRIES; i++) {
      Ipv4Address pod = new Ipv4Address(0x0a2a0001 + 2 * i);
      CtTuple tuple =
          new CtTuple(
              pod,
              new Ipv4Address(random.nextInt()),
              80,
              random.nextInt() & 0xffff,
              IpProtocol.TCP,
              CtTuple.OUT);
      byte[] key = tuple.encode();
      byte[] value = new byte[CtEntry.SIZE];
      value[0] = (byte) i;
      conntrack.update(key, value);
      conntrackLru.update(key, value);
      hashMap.put(tuple, CtEntry.decode(value));
      RemoteEndpointInfo info = new RemoteEndpointInfo(256 + i, new Ipv4Address(0xc0a80000 + i));
      ipcache.update(new IpcacheKey(pod).encode(), info.encode());
      pods.put(pod.value(), info);
    }
    for (int network = 0; network < 512; network++) {
      Ipv4Prefix prefix = new Ipv4Prefix(new Ipv4Address(0x0a2a0000 + (network << 8)), 24);
      ipcache.update(new IpcacheKey(prefix).encode(), world.encode());
      networks.put(prefix.address().value(), world);
    }
    ipcache.update(new IpcacheKey(Ipv4Prefix.parse("0.0.0.0/0")).encode(), world.encode());
    CtTuple[] all = hashMap.keySet().toArray(CtTuple[]::new);
    for (int i = 0; i < ENTRIES; i++) {
      CtTuple tuple = all[(random.nextInt() >>> 1) % ENTRIES];
      byte[] key = tuple.encode();
      k0[i] = Words.word(key, 0, CtTuple.SIZE, 0);
      k1[i] = Words.word(key, 0, CtTuple.SIZE, 1);
      tuples[i] =
          new CtTuple(
              tuple.daddr(),
              tuple.saddr(),
              tuple.dport(),
              tuple.sport(),
              tuple.nexthdr(),
              tuple.flags());
      // Half of the addresses are pods', a quarter only their network's, a quarter the world's.
      int pod = tuple.daddr().value();
      addresses[i] = i % 4 < 2 ? pod : i % 4 == 2 ? pod - 1 : random.nextInt();
    }
    calls.set(7, 1, _ -> Verdict.OK);
    System.gc(); // objects that live as long as a node's have been moved together
  }

  private int next() {
    next = next + 1 & ENTRIES - 1;
    return next;
  }

  @Benchmark
  public long hashLookup() {
    int i = next();
    int slot = conntrack.find(k0[i], k1[i]);
    return conntrack.i64(slot, CtEntry.OFF_RX_PACKETS);
  }

  @Benchmark
  public long lruLookup() {
    int i = next();
    int slot = conntrackLru.find(k0[i], k1[i]);
    return conntrackLru.i64(slot, CtEntry.OFF_RX_PACKETS);
  }

  /** The key is at hand: a real program would have to make one first. */
  @Benchmark
  public long hashMapLookup() {
    return hashMap.get(tuples[next()]).rxPackets();
  }

  @Benchmark
  public int lpmLookup() {
    return ipcache.find(addresses[next()]).i32(RemoteEndpointInfo.SEC_LABEL);
  }

  /** The longest match as one would write it: a map for each length that occurs. */
  @Benchmark
  public int lpmByHashMaps() {
    int address = addresses[next()];
    RemoteEndpointInfo info = pods.get(address);
    if (info == null) {
      info = networks.get(address & Ipv4Prefix.mask(24));
    }
    return (info == null ? world : info).securityIdentity();
  }

  @Benchmark
  public long counterAdd() {
    int slot = conntrack.find(k0[next()], k1[next]);
    conntrack.addI64(slot, CtEntry.OFF_TX_PACKETS, 1);
    return slot;
  }

  @Benchmark
  public void takeAndRelease() {
    pool.release(pool.take());
  }

  @Benchmark
  public int tailCall() {
    return TailCalls.run(entry, packet);
  }

  /** Prints what is compared with what: the fastest iterations, for other work only slows down. */
  public static void main(String[] args) throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .include(MapBenchmark.class.getName())
                    .jvmArgsAppend("--sun-misc-unsafe-memory-access=allow")
                    .build())
            .run();
    Map<String, Double> ns = new TreeMap<>();
    for (RunResult result : results) {
      ns.put(
          result.getPrimaryResult().getLabel(), result.getPrimaryResult().getStatistics().getMin());
    }
    print(ns, "hashLookup", "hashMapLookup", "java.util.HashMap<CtTuple, CtEntry>");
    print(ns, "lruLookup", "hashMapLookup", "java.util.HashMap<CtTuple, CtEntry>");
    print(ns, "lpmLookup", "lpmByHashMaps", "a java.util.HashMap for each length");
    for (String alone : new String[] {"counterAdd", "takeAndRelease", "tailCall"}) {
      System.out.printf(Locale.ROOT, "%-16s %6.1f ns%n", alone, ns.get(alone));
    }
  }

  private static void print(Map<String, Double> ns, String ours, String theirs, String what) {
    System.out.printf(
        Locale.ROOT,
        "%-16s %6.1f ns   %s %6.1f ns   ratio %.2f%n",
        ours,
        ns.get(ours),
        what,
        ns.get(theirs),
        ns.get(theirs) / ns.get(ours));
  }
}
