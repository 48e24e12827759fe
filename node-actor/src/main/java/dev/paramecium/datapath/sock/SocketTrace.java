package dev.paramecium.datapath.sock;

import dev.paramecium.syscall.Observation.Lookup;
import java.util.ArrayList;
import java.util.List;

/** What a program on a socket tells about one call that a trace follows. */
final class SocketTrace {

  private final List<String> functions = new ArrayList<>();
  private final List<Lookup> lookups = new ArrayList<>();
  private String rule = "";

  void function(String name) {
    functions.add(name);
  }

  void lookup(String map, String key, String value) {
    lookups.add(new Lookup(map, key, value));
  }

  /** What decided; of several the last. */
  void decision(String words) {
    rule = words;
  }

  List<String> functions() {
    return functions;
  }

  List<Lookup> lookups() {
    return lookups;
  }

  String rule() {
    return rule;
  }
}
