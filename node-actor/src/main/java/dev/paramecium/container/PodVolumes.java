package dev.paramecium.container;

import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.Volume;
import dev.paramecium.syscall.ContainerSpec;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The directories that containers of a pod share, as long as a container is there that has them.
 */
final class PodVolumes {

  private record Key(String podUid, String volume) {}

  private final Map<Key, Volume> volumes = new HashMap<>();

  /** Mounts what a container asks for; the first that does makes it. */
  void mount(ContainerSpec spec, FileSystem files) {
    for (ContainerSpec.Mount mount : spec.mounts()) {
      Volume volume =
          volumes.computeIfAbsent(new Key(spec.podUid(), mount.volume()), _ -> new Volume());
      files.mount(mount.path(), volume, mount.subPath());
    }
  }

  /** Forgets the volumes that none of these has. */
  void keep(List<ContainerSpec> containers) {
    Set<Key> used = new HashSet<>();
    for (ContainerSpec spec : containers) {
      spec.mounts().forEach(mount -> used.add(new Key(spec.podUid(), mount.volume())));
    }
    volumes.keySet().retainAll(used);
  }
}
