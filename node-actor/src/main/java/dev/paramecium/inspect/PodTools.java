package dev.paramecium.inspect;

import dev.paramecium.container.process.Executable;
import dev.paramecium.inspect.net.Arp;
import dev.paramecium.inspect.net.Ip;
import java.util.Map;

/** What every image has in PATH beside its own programs: {@code ip} and {@code arp}. */
public final class PodTools {

  private PodTools() {}

  /** The tools by name; they read {@code ProcessContext.namespace()}. */
  public static Map<String, Executable> create() {
    return Map.of("ip", Ip.inPod(), "arp", Arp.inPod());
  }
}
