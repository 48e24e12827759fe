package dev.paramecium.datapath.trace;

import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.Hook;
import dev.paramecium.syscall.Observation.Lookup;
import java.util.List;

/**
 * What happened to a packet at one place; the fields are those of {@link
 * dev.paramecium.syscall.Observation}.
 */
public record Step(
    int number,
    String device,
    int ifindex,
    String place,
    String program,
    int programId,
    List<String> functions,
    List<Lookup> lookups,
    String verdict,
    String reason,
    String rule) {

  /** A step in which no program runs. */
  public static Step of(Hook hook, DevicePort port, String verdict) {
    return of(hook.step(), hook.place(), port, verdict, "");
  }

  public static Step of(int number, String place, DevicePort port, String verdict, String reason) {
    return new Step(
        number,
        port.link().name(),
        port.ifindex(),
        place,
        "",
        0,
        List.of(),
        List.of(),
        verdict,
        reason,
        "");
  }
}
