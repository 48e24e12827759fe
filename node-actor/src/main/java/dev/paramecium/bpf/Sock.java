package dev.paramecium.bpf;

/** A socket in a {@link SockHash}: where {@code bpf_msg_redirect_hash} puts bytes to be read. */
public interface Sock {

  /**
   * Puts bytes into the socket's receive queue, behind what is there. One sender at a time, on any
   * thread; the bytes are copied.
   *
   * @param room if fewer than {@code count} were taken, runs once there is room again or the socket
   *     takes none any more, on the thread that made it so
   * @return how many were taken, from 0 if the queue is full to {@code count}; -1 if the socket
   *     takes none any more
   */
  int ingress(byte[] bytes, int from, int count, Runnable room);

  /**
   * Whether everything that was put in has been read, or never will be.
   *
   * @param room if not, runs when more has been read
   */
  boolean isDrained(Runnable room);
}
