package dev.paramecium.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.syscall.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class BpfHashMapTest {

  private static byte[] value(long first, long second) {
    byte[] bytes = new byte[16];
    for (int i = 0; i < 8; i++) {
      bytes[i] = (byte) (first >>> (8 * i));
      bytes[8 + i] = (byte) (second >>> (8 * i));
    }
    return bytes;
  }

  @Test
  void aValueKeepsItsBytesAndReadsAsLittleEndianFields() {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 14, 12, 10);
    byte[] key = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    byte[] value = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, (byte) 0x88, 1, 0, 2, 0};

    assertThat(map.update(key, value)).isNull();

    assertThat(map.lookup(key)).containsExactly(value);
    int slot = map.find(0x0807060504030201L, 0x0e0d0c0b0a09L);
    assertThat(slot).isNotNegative();
    assertThat(map.u8(slot, 7)).isEqualTo(0x88);
    assertThat(map.u16(slot, 2)).isEqualTo(0x4433);
    assertThat(map.i32(slot, 4)).isEqualTo(0x88776655);
    assertThat(map.i64(slot, 0)).isEqualTo(0x8877665544332211L);
    assertThat(map.u16(slot, 10)).isEqualTo(2);
  }

  @Test
  void aFieldIsSetWithoutTouchingItsNeighbours() {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 8, 10);
    int slot = map.insert(7);
    map.setI64(slot, 0, -1);

    map.setU16(slot, 2, 0x1234);
    map.setU8(slot, 5, 0);
    assertThat(map.i64(slot, 0)).isEqualTo(0xffff_00ff_1234_ffffL);

    map.setI64(slot, 0, 0);
    map.orU16(slot, 4, 0x8001);
    map.orU8(slot, 7, 0x80);
    map.setI32(slot, 0, -2);
    assertThat(map.i64(slot, 0)).isEqualTo(0x8000_8001_ffff_fffeL);

    map.addI64(slot, 0, 2);
    assertThat(map.i64(slot, 0)).isEqualTo(0x8000_8002_0000_0000L);
  }

  @Test
  void aFullMapRefusesNewKeysAndStillReplacesOldOnes() {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 16, 3);
    for (int key = 0; key < 3; key++) {
      assertThat(map.update(key, value(key, 0), 0)).isZero();
    }

    assertThat(map.update(3, value(3, 0), 0)).isEqualTo(-Errno.E2BIG.number());
    assertThat(map.insert(3)).isEqualTo(-1);
    assertThat(map.update(1, value(11, 12), 0)).isZero();
    assertThat(map.i64(map.find(1), 8)).isEqualTo(12);
    assertThat(map.size()).isEqualTo(3);

    assertThat(map.remove(0)).isTrue();
    assertThat(map.update(3, value(3, 0), 0)).isZero();
    assertThat(map.find(0)).isEqualTo(-1);
  }

  @Test
  void theFlagsOfAnUpdateChooseBetweenCreatingAndReplacing() {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 16, 3);

    assertThat(map.update(1, 0, 0, value(1, 1), 0, BpfHashMap.BPF_EXIST))
        .isEqualTo(-Errno.ENOENT.number());
    assertThat(map.update(1, 0, 0, value(1, 1), 0, BpfHashMap.BPF_NOEXIST)).isZero();
    assertThat(map.update(1, 0, 0, value(2, 2), 0, BpfHashMap.BPF_NOEXIST))
        .isEqualTo(-Errno.EEXIST.number());
    assertThat(map.i64(map.find(1), 0)).isEqualTo(1);
    assertThat(map.update(1, 0, 0, value(2, 2), 0, BpfHashMap.BPF_EXIST)).isZero();
    assertThat(map.i64(map.find(1), 0)).isEqualTo(2);
  }

  @Test
  void aReplacedValueLeavesTheOldOneWholeForAReaderThatHasIt() {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 16, 100);
    map.update(1, value(10, 20), 0);
    int slot = map.find(1);

    map.update(1, value(30, 40), 0);

    assertThat(map.i64(slot, 0)).isEqualTo(10);
    assertThat(map.i64(slot, 8)).isEqualTo(20);
    assertThat(map.holds(slot, 1, 0, 0)).isFalse();
    assertThat(map.i64(map.find(1), 8)).isEqualTo(40);
  }

  @Test
  void slotsStayWhereTheyAreWhileTheMapGrows() {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 8, 100_000);
    int first = map.insert(-1);
    map.setI64(first, 0, 4711);
    for (int key = 0; key < 50_000; key++) {
      map.insert(key);
    }
    assertThat(map.find(-1)).isEqualTo(first);
    assertThat(map.i64(first, 0)).isEqualTo(4711);
  }

  @Test
  void aSmallMapOfManyEntriesTakesLittleMemory() {
    long before = usedMemory();
    List<BpfHashMap> maps = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      BpfHashMap map = BpfHashMap.lru(i, "cilium_ct4_global", 14, 56, 524288);
      map.insert(i, i);
      maps.add(map);
    }
    assertThat((usedMemory() - before) / maps.size()).isLessThan(16 * 1024);
    assertThat(maps).allMatch(map -> map.size() == 1);
  }

  private static long usedMemory() {
    Runtime runtime = Runtime.getRuntime();
    System.gc();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  void anLruMapEvictsWhatWasNotLookedUp() {
    BpfHashMap map = BpfHashMap.lru(1, "cilium_ct4_global", 8, 8, 100);
    for (int key = 0; key < 100; key++) {
      map.insert(key);
    }
    for (int round = 0; round < 20; round++) {
      for (int key = 0; key < 10; key++) {
        assertThat(map.find(key)).isNotNegative();
      }
      for (int key = 0; key < 50; key++) {
        map.insert(1000 + round * 50 + key);
      }
    }
    assertThat(map.size()).isEqualTo(100);
    for (int key = 0; key < 10; key++) {
      assertThat(map.find(key)).as("key %d, used all the time", key).isNotNegative();
    }
    for (int key = 10; key < 100; key++) {
      assertThat(map.find(key)).as("key %d, never used", key).isNegative();
    }
  }

  @Test
  void aFullLruMapWhoseEntriesAreAllInUseStillTakesNewOnes() {
    BpfHashMap map = BpfHashMap.lru(1, "cilium_ct4_global", 8, 8, 1000);
    for (int key = 0; key < 1000; key++) {
      map.insert(key);
      map.find(key);
    }
    assertThat(map.insert(5000)).isNotNegative();
    assertThat(map.find(5000)).isNotNegative();
    assertThat(map.size()).isEqualTo(1000);
  }

  @Test
  void userlandsLookupsAreNoUse() {
    BpfHashMap map = BpfHashMap.lru(1, "cilium_ct4_global", 8, 8, 2);
    map.update(key(1), new byte[8]);
    map.update(key(2), new byte[8]);
    assertThat(map.lookup(key(1))).isNotNull();
    map.find(2);
    map.update(key(3), new byte[8]);
    assertThat(map.lookup(key(1))).isNull();
    assertThat(map.lookup(key(2))).isNotNull();
  }

  private static byte[] key(long key) {
    byte[] bytes = new byte[8];
    for (int i = 0; i < 8; i++) {
      bytes[i] = (byte) (key >>> (8 * i));
    }
    return bytes;
  }

  @Test
  void keysThatTheIndexCannotTellApartAreToldApart() {
    // Keys whose hashes agree in the compared half and in the place of a small index.
    long[] tagged = new long[1 << 21];
    for (int key = 0; key < tagged.length; key++) {
      tagged[key] = (BpfHashMap.hash(key, 0, 0) >>> 32 << 32) | key;
    }
    Arrays.sort(tagged);
    int found = 0;
    for (int i = 1; i < tagged.length; i++) {
      long one = tagged[i - 1] & 0xffff_ffffL;
      long other = tagged[i] & 0xffff_ffffL;
      boolean sameTag = tagged[i - 1] >>> 32 == tagged[i] >>> 32;
      if (sameTag && ((BpfHashMap.hash(one, 0, 0) ^ BpfHashMap.hash(other, 0, 0)) & 31) == 0) {
        found++;
        BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 8, 10);
        map.setI64(map.insert(one), 0, 1);
        assertThat(map.find(other)).isEqualTo(-1);
        map.setI64(map.insert(other), 0, 2);
        assertThat(map.i64(map.find(one), 0)).isEqualTo(1);
        assertThat(map.i64(map.find(other), 0)).isEqualTo(2);
        assertThat(map.remove(one)).isTrue();
        assertThat(map.find(one)).isEqualTo(-1);
        assertThat(map.i64(map.find(other), 0)).isEqualTo(2);
      }
    }
    assertThat(found).isPositive();
  }

  @Test
  void keysAndValuesOfTheWrongSizeAreRefused() {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 8, 2);
    assertThat(map.update(new byte[7], new byte[8])).isEqualTo(Errno.EINVAL);
    assertThat(map.update(new byte[8], new byte[9])).isEqualTo(Errno.EINVAL);
    assertThat(map.lookup(new byte[9])).isNull();
    assertThat(map.delete(new byte[9])).isFalse();
  }

  /** What a map is asked to do, with few different keys so that they meet. */
  record Operation(int kind, int key, long value) {}

  @Provide
  Arbitrary<List<Operation>> operations() {
    return Combinators.combine(
            Arbitraries.integers().between(0, 4),
            Arbitraries.integers().between(0, 60),
            Arbitraries.longs())
        .as(Operation::new)
        .list()
        .ofMaxSize(400);
  }

  @Property(tries = 300)
  void behavesAsAHashMapOfLimitedSize(
      @ForAll("operations") List<Operation> operations,
      @ForAll @IntRange(min = 1, max = 3) int words) {
    int maxEntries = 40;
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", words * 8, 8, maxEntries);
    Map<Integer, Long> model = new HashMap<>();
    for (Operation operation : operations) {
      int key = operation.key;
      long k1 = words > 1 ? key * 31L : 0;
      long k2 = words > 2 ? ~(long) key : 0;
      boolean full = model.size() == maxEntries && !model.containsKey(key);
      switch (operation.kind) {
        case 0 -> {
          int result = map.update(key, k1, k2, key(operation.value), 0, BpfHashMap.BPF_ANY);
          assertThat(result).isEqualTo(full ? -Errno.E2BIG.number() : 0);
          if (!full) {
            model.put(key, operation.value);
          }
        }
        case 1 -> assertThat(map.remove(key, k1, k2)).isEqualTo(model.remove(key) != null);
        case 2 -> {
          int slot = map.insert(key, k1, k2);
          assertThat(slot < 0).isEqualTo(full);
          if (slot >= 0) {
            map.addI64(slot, 0, operation.value);
            model.merge(key, operation.value, Long::sum);
          }
        }
        default -> {
          int slot = map.find(key, k1, k2);
          assertThat(slot >= 0).isEqualTo(model.containsKey(key));
          if (slot >= 0) {
            assertThat(map.i64(slot, 0)).isEqualTo(model.get(key));
            assertThat(map.keyWord(slot, 0)).isEqualTo(key);
            assertThat(map.holds(slot, key, k1, k2)).isTrue();
          }
        }
      }
      assertThat(map.size()).isEqualTo(model.size());
    }
    Map<Integer, Long> dumped = new LinkedHashMap<>();
    map.forEach((key, value) -> dumped.put(Words.i32(key), Words.word(value, 0, 8, 0)));
    assertThat(dumped).isEqualTo(model);
    int visited = 0;
    for (int slot = map.nextSlot(-1); slot >= 0; slot = map.nextSlot(slot)) {
      assertThat(model).containsEntry((int) map.keyWord(slot, 0), map.i64(slot, 0));
      visited++;
    }
    assertThat(visited).isEqualTo(model.size());
  }

  @Property(tries = 100)
  void anLruMapNeverGrowsBeyondItsLimitAndHoldsTheNewest(
      @ForAll @Size(max = 300) List<@IntRange(min = 0, max = 80) Integer> keys) {
    BpfHashMap map = BpfHashMap.lru(1, "cilium_ct4_global", 8, 8, 25);
    for (int key : keys) {
      map.update(key, key(key), 0);
      assertThat(map.size()).isLessThanOrEqualTo(25);
      int slot = map.find(key);
      assertThat(slot).isNotNegative();
      assertThat(map.i64(slot, 0)).isEqualTo(key);
    }
  }
}
