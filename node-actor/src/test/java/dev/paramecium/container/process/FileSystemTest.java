package dev.paramecium.container.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FileSystemTest {

  private final Volume shared = new Volume();
  private final FileSystem one = new FileSystem();
  private final FileSystem other = new FileSystem();

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void whatOneWritesIntoASharedVolumeTheOtherReads() {
    one.mount("/data", shared, "");
    other.mount("/srv/in/", shared, "");
    assertThat(one.write("/data/a/b", bytes("x"))).isTrue();
    assertThat(one.append("/data/a/b", bytes("y"))).isTrue();
    assertThat(other.read("/srv/./in/a/b")).isEqualTo(bytes("xy"));
    assertThat(other.remove("/srv/in/a/b")).isTrue();
    assertThat(one.read("/data/a/b")).isNull();
    assertThat(one.used()).isZero();
  }

  @Test
  void aMountHidesWhatWasThereAndIsADirectoryThoughEmpty() {
    one.write("/data/old", bytes("old"));
    one.mount("/data", shared, "");
    one.mount("/data/deep/er", new Volume(), "");
    assertThat(one.read("/data/old")).isNull();
    assertThat(one.isDirectory("/data")).isTrue();
    assertThat(one.isDirectory("/data/deep")).isTrue();
    assertThat(one.isDirectory("/dat")).isFalse();
    assertThat(one.list("/data")).containsExactly("deep");
    assertThat(one.list("/")).contains("data", "etc", "tmp");
  }

  @Test
  void aSubPathIsAPartOfTheVolume() {
    one.mount("/all", shared, "");
    other.mount("/part", shared, "sub/path");
    other.write("/part/f", bytes("f"));
    assertThat(one.read("/all/sub/path/f")).isEqualTo(bytes("f"));
    assertThat(other.list("/part")).containsExactly("f");
  }

  @Test
  void theNearestMountCounts() {
    Volume inner = new Volume();
    one.mount("/a", shared, "");
    one.mount("/a/b", inner, "");
    one.mount("/a/bc", new Volume(), "");
    one.write("/a/b/f", bytes("inner"));
    one.write("/a/bd", bytes("outer"));
    assertThat(inner.read("/f")).isEqualTo(bytes("inner"));
    assertThat(shared.read("/bd")).isEqualTo(bytes("outer"));
  }

  @Test
  void everyWatcherOfASharedFileHearsOfIt() {
    one.mount("/data", shared, "");
    other.mount("/data", shared, "");
    AtomicInteger heard = new AtomicInteger();
    one.watch("/data/f", heard::incrementAndGet);
    other.watch("/data/f", heard::incrementAndGet);
    other.write("/data/f", bytes("1"));
    assertThat(heard).hasValue(2);
  }

  @Test
  void aFullVolumeLeavesTheContainersOwnFilesTheirRoom() {
    one.mount("/data", shared, "");
    assertThat(one.write("/data/f", new byte[Volume.CAPACITY])).isTrue();
    assertThat(one.append("/data/f", bytes("1"))).isFalse();
    assertThat(one.write("/tmp/f", bytes("1"))).isTrue();
  }
}
