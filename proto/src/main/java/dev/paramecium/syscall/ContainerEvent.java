package dev.paramecium.syscall;

/** What happens to a container after it was started. */
public sealed interface ContainerEvent {

  String containerId();

  /**
   * The main process runs; {@code imageNote} says so when the image is unknown and a stand-in
   * answers.
   */
  record Started(String containerId, String imageNote) implements ContainerEvent {}

  /** The main process ended. */
  record Exited(String containerId, int exitCode, String reason) implements ContainerEvent {}
}
