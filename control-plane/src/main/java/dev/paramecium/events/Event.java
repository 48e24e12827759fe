package dev.paramecium.events;

import dev.paramecium.api.KubeObject;

/**
 * One thing that happened to one object, as a component tells its {@link EventRecorder}.
 *
 * @param about the object as the component knew it
 * @param fieldPath the part of it that is meant, {@code spec.containers{name}}; empty for all of it
 * @param reason one CamelCase word for programs: {@code Scheduled}
 * @param message one sentence for people
 */
public record Event(KubeObject about, String fieldPath, Type type, String reason, String message)
    implements EventRecorder.Command {

  /** Whether somebody should look. */
  public enum Type {
    NORMAL("Normal"),
    WARNING("Warning");

    private final String word;

    Type(String word) {
      this.word = word;
    }

    String word() {
      return word;
    }
  }

  public static Event normal(KubeObject about, String reason, String message) {
    return new Event(about, "", Type.NORMAL, reason, message);
  }

  public static Event warning(KubeObject about, String reason, String message) {
    return new Event(about, "", Type.WARNING, reason, message);
  }

  /** The same event of a part of the object. */
  public Event at(String path) {
    return new Event(about, path, type, reason, message);
  }
}
