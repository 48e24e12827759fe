package dev.paramecium.inspect.bpftool;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.syscall.Errno;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/** {@code bpftool map} ({@code map.c}); maps have no BTF, so entries are bytes. */
final class MapCommand {

  private static final String USAGE =
      """
      Usage: bpftool map { show | list }   [MAP]
             bpftool map dump       MAP
             bpftool map update     MAP key DATA value DATA [UPDATE_FLAGS]
             bpftool map lookup     MAP key DATA
             bpftool map getnext    MAP [key DATA]
             bpftool map delete     MAP key DATA
             bpftool map help

             MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
             DATA := { [hex] BYTES }
             UPDATE_FLAGS := { any | exist | noexist }
             OPTIONS := { {-j|--json} [{-p|--pretty}] | {-f|--bpffs} }\
      """;

  /** What bpf(2) answers for a socket, whose cookie does not fit into four bytes. */
  private static final String UNREADABLE = "No space left on device";

  private final KernelView kernel;
  private final Bpftool.Printer printer;

  MapCommand(KernelView kernel, Bpftool.Printer printer) {
    this.kernel = kernel;
    this.printer = printer;
  }

  void run(Words words) {
    if (!words.hasNext() || words.take("show") || words.take("list")) {
      show(words);
    } else if (words.take("dump")) {
      dump(words);
    } else if (words.take("lookup")) {
      lookup(words);
    } else if (words.take("update")) {
      update(words);
    } else if (words.take("delete")) {
      delete(words);
    } else if (words.take("getnext")) {
      next(words);
    } else {
      throw new ToolError(words.take("help") ? 0 : Bpftool.FAILURE, USAGE);
    }
  }

  // ---- which map

  private List<BpfMap> all() {
    return kernel.maps().stream().sorted(Comparator.comparingInt(BpfMap::id)).toList();
  }

  private BpfMap one(Words words) {
    List<BpfMap> maps = select(words);
    if (maps.size() > 1) {
      throw Bpftool.error("several maps match this handle");
    }
    return maps.getFirst();
  }

  private List<BpfMap> select(Words words) {
    if (words.count() < 2) {
      throw new ToolError(Bpftool.FAILURE, USAGE);
    }
    if (words.take("id")) {
      int id = words.id();
      return found(m -> m.id() == id, "get map by id (" + id + "): No such file or directory");
    }
    if (words.take("name")) {
      String name = words.next();
      // The kernel keeps 15 characters of a name; the pinned name is longer and taken as well.
      return found(m -> name(m).equals(name) || m.name().equals(name), "no map with name " + name);
    }
    if (words.take("pinned")) {
      String path = words.next();
      return found(
          m -> path.equals(MapNames.PIN_DIRECTORY + m.name()),
          "bpf obj get (" + path + "): No such file or directory");
    }
    throw Bpftool.error("expected 'id', 'name' or 'pinned', got: '" + words.peek() + "'?");
  }

  private List<BpfMap> found(Predicate<BpfMap> wanted, String otherwise) {
    List<BpfMap> maps = all().stream().filter(wanted).toList();
    if (maps.isEmpty()) {
      throw Bpftool.error(otherwise);
    }
    return maps;
  }

  private static String name(BpfMap map) {
    String name = map.name();
    return name.length() > ProgCommand.NAME_LENGTH
        ? name.substring(0, ProgCommand.NAME_LENGTH)
        : name;
  }

  // ---- show

  private void show(Words words) {
    boolean one = words.hasNext();
    List<BpfMap> maps = one ? select(words) : all();
    if (printer.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      maps.forEach(map -> json.add(toJson(map)));
      printer.json(one && json.size() == 1 ? json.get(0) : json);
      return;
    }
    for (BpfMap map : maps) {
      printer
          .output()
          .line(
              map.id()
                  + ": "
                  + map.type().bpftoolName()
                  + (map.name().isEmpty() ? "" : "  name " + name(map))
                  + "  flags 0x"
                  + Integer.toHexString(flags(map)))
          .line(
              "\tkey "
                  + map.keySize()
                  + "B  value "
                  + map.valueSize()
                  + "B  max_entries "
                  + map.maxEntries()
                  + "  memlock "
                  + memlock(map)
                  + "B");
      if (printer.pinned() && !map.name().isEmpty()) {
        printer.output().line("\tpinned " + MapNames.PIN_DIRECTORY + map.name());
      }
    }
  }

  private ObjectNode toJson(BpfMap map) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("id", map.id()).put("type", map.type().bpftoolName());
    if (!map.name().isEmpty()) {
      json.put("name", name(map));
    }
    json.put("flags", flags(map)).put("bytes_key", map.keySize());
    json.put("bytes_value", map.valueSize()).put("max_entries", map.maxEntries());
    json.put("bytes_memlock", memlock(map)).put("frozen", 0);
    if (printer.pinned() && !map.name().isEmpty()) {
      json.putArray("pinned").add(MapNames.PIN_DIRECTORY + map.name());
    }
    return json;
  }

  /** BPF_F_NO_PREALLOC of LPM tries, which cannot do without it. */
  private static int flags(BpfMap map) {
    return map.type() == BpfMap.Type.LPM_TRIE ? 1 : 0;
  }

  /** What the kernel would charge: elements with their headers, and buckets, in whole pages. */
  private long memlock(BpfMap map) {
    long key = roundUp(map.keySize(), 8);
    long value = roundUp(map.valueSize(), 8);
    long max = map.maxEntries();
    long buckets = 16L * Long.highestOneBit(Math.max(1, 2 * max - 1));
    long bytes =
        switch (map.type()) {
          case HASH, LRU_HASH, HASH_OF_MAPS, SOCKHASH -> max * (48 + key + value) + buckets;
          case PERCPU_HASH -> max * (56 + key + value * kernel.possibleCpus()) + buckets;
          case LPM_TRIE -> map.size() * (40 + key + value);
          case ARRAY -> max * value;
          case PERCPU_ARRAY -> max * (8 + value * kernel.possibleCpus());
          case PROG_ARRAY, PERF_EVENT_ARRAY -> max * 8;
        };
    return Math.max(4096, roundUp(bytes, 4096));
  }

  private static long roundUp(long value, int multiple) {
    return (value + multiple - 1) / multiple * multiple;
  }

  // ---- entries

  private void dump(Words words) {
    BpfMap map = one(words);
    if (words.hasNext()) {
      throw new ToolError(Bpftool.FAILURE, USAGE);
    }
    if (printer.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      map.forEach((key, value) -> json.add(entry(map, key, value)));
      printer.json(json);
      return;
    }
    int[] count = {0};
    map.forEach(
        (key, value) -> {
          print(map, key, value);
          count[0]++;
        });
    printer.output().line("Found " + count[0] + " element" + (count[0] == 1 ? "" : "s"));
  }

  private static boolean isPerCpu(BpfMap map) {
    return switch (map.type()) {
      case PERCPU_HASH, PERCPU_ARRAY -> true;
      case HASH, LRU_HASH, LPM_TRIE, PROG_ARRAY, ARRAY, HASH_OF_MAPS, SOCKHASH, PERF_EVENT_ARRAY ->
          false;
    };
  }

  /** As {@code print_entry_plain} lays it out: short entries on one line. */
  private void print(BpfMap map, byte[] key, byte[] value) {
    StringBuilder text = new StringBuilder();
    if (map.type() == BpfMap.Type.SOCKHASH) {
      text.append("key:\n").append(hex(key, 0, key.length));
      printer.output().line(text.append("\nvalue:\n").append(UNREADABLE));
      return;
    }
    if (isPerCpu(map)) {
      text.append("key:\n").append(hex(key, 0, key.length)).append('\n');
      int step = (int) roundUp(map.valueSize(), 8);
      for (int cpu = 0; (cpu + 1) * step <= value.length; cpu++) {
        text.append("value (CPU ").append(cpu < 10 ? "0" : "").append(cpu).append("):");
        text.append(map.valueSize() > 16 ? '\n' : ' ');
        text.append(hex(value, cpu * step, map.valueSize())).append('\n');
      }
      printer.output().print(text);
      return;
    }
    boolean breaks = map.keySize() > 16 || map.valueSize() > 16;
    boolean singleLine = map.keySize() + map.valueSize() <= 24 && !breaks;
    char after = breaks ? '\n' : ' ';
    text.append("key:").append(after).append(hex(key, 0, key.length));
    text.append(singleLine ? "  " : "\n");
    text.append("value:").append(after).append(hex(value, 0, value.length));
    printer.output().line(text);
  }

  private ObjectNode entry(BpfMap map, byte[] key, byte[] value) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    putBytes(json.putArray("key"), key, 0, key.length);
    if (map.type() == BpfMap.Type.SOCKHASH) {
      json.putObject("value").put("error", UNREADABLE);
      return json;
    }
    if (!isPerCpu(map)) {
      putBytes(json.putArray("value"), value, 0, value.length);
      return json;
    }
    ArrayNode values = json.putArray("values");
    int step = (int) roundUp(map.valueSize(), 8);
    for (int cpu = 0; (cpu + 1) * step <= value.length; cpu++) {
      ObjectNode one = values.addObject().put("cpu", cpu);
      putBytes(one.putArray("value"), value, cpu * step, map.valueSize());
    }
    return json;
  }

  private static void putBytes(ArrayNode array, byte[] bytes, int from, int count) {
    for (int i = from; i < from + count; i++) {
      array.add("0x" + hex(bytes, i, 1));
    }
  }

  /** As {@code fprint_hex}: a gap after eight bytes, a line after sixteen. */
  private static String hex(byte[] bytes, int from, int count) {
    StringBuilder text = new StringBuilder(3 * count);
    for (int i = from; i < from + count; i++) {
      int place = i - from;
      text.append(place == 0 ? "" : place % 16 == 0 ? "\n" : place % 8 == 0 ? "  " : " ");
      text.append(Character.forDigit(bytes[i] >> 4 & 15, 16));
      text.append(Character.forDigit(bytes[i] & 15, 16));
    }
    return text.toString();
  }

  // ---- one entry

  private void lookup(Words words) {
    BpfMap map = one(words);
    byte[] key = bytes(words, "key", map.keySize());
    byte[] value = map.lookup(key);
    if (value == null) {
      if (printer.json()) {
        printer.json(JsonNodeFactory.instance.nullNode());
      } else {
        printer.output().print("key:\n" + hex(key, 0, key.length) + "\n\nNot found\n");
      }
    } else if (printer.json()) {
      printer.json(entry(map, key, value));
    } else {
      print(map, key, value);
    }
  }

  /** The keys themselves, without {@code key}: the first, or the one after the given. */
  private void next(Words words) {
    BpfMap map = one(words);
    byte[] key = words.hasNext() ? bytes(words, "key", map.keySize()) : null;
    byte[][] found = new byte[1][];
    boolean[] seen = {key == null};
    map.forEach(
        (candidate, _) -> {
          if (seen[0] && found[0] == null) {
            found[0] = candidate;
          }
          seen[0] |= key != null && Arrays.equals(candidate, key);
        });
    if (found[0] == null) {
      throw Bpftool.error("can't get next key: No such file or directory");
    }
    String nextKey = hex(found[0], 0, found[0].length);
    if (printer.json()) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      if (key != null) {
        putBytes(json.putArray("key"), key, 0, key.length);
      }
      putBytes(json.putArray("next_key"), found[0], 0, found[0].length);
      printer.json(json);
    } else if (key == null) {
      printer.output().print("key: None\nnext key:\n" + nextKey + "\n");
    } else {
      printer.output().print("key:\n" + hex(key, 0, key.length) + "\nnext key:\n" + nextKey + "\n");
    }
  }

  private void update(Words words) {
    BpfMap map = one(words);
    byte[] key = bytes(words, "key", map.keySize());
    byte[] value = bytes(words, "value", map.valueSize());
    String flag = words.hasNext() ? words.next() : "any";
    boolean there = map.lookup(key) != null;
    Errno failure =
        switch (flag) {
          case "any" -> map.update(key, value);
          case "exist" -> there ? map.update(key, value) : Errno.ENOENT;
          case "noexist" -> there ? Errno.EEXIST : map.update(key, value);
          default -> throw Bpftool.error("unknown update flag: " + flag);
        };
    if (failure != null) {
      throw Bpftool.error("update failed: " + failure.text());
    }
    done();
  }

  private void delete(Words words) {
    BpfMap map = one(words);
    byte[] key = bytes(words, "key", map.keySize());
    if (!map.delete(key)) {
      throw Bpftool.error("delete failed: " + Errno.ENOENT.text());
    }
    done();
  }

  private void done() {
    if (printer.json()) {
      printer.json(JsonNodeFactory.instance.nullNode());
    }
  }

  /** {@code key [hex] BYTES}: exactly as many as the map's keys have. */
  private static byte[] bytes(Words words, String what, int size) {
    if (!words.take(what)) {
      throw Bpftool.error(
          words.hasNext()
              ? "expected '" + what + "', got: '" + words.peek() + "'"
              : "no " + what + " specified: write " + what + " hex and " + size + " bytes");
    }
    boolean hex = words.take("hex");
    byte[] bytes = new byte[size];
    int count = 0;
    while (count < size && words.hasNext()) {
      String word = words.next();
      try {
        int value = hex ? Integer.parseInt(word, 16) : Integer.decode(word);
        if (value < 0 || value > 255) {
          throw Bpftool.error("error parsing byte: " + word);
        }
        bytes[count++] = (byte) value;
      } catch (NumberFormatException e) {
        throw Bpftool.error("error parsing byte: " + word);
      }
    }
    if (count != size) {
      throw Bpftool.error(what + " expected " + size + " bytes got " + count);
    }
    return bytes;
  }
}
