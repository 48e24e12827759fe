package dev.paramecium.bpf;

/** A socket in a {@link SockHash}: where {@code bpf_msg_redirect_hash} puts bytes to be read. */
public interface Sock {

  /**
   * Puts bytes into the socket's receive queue, behind what is there. Any one thread at a time; the
   * bytes are copied.
   *
   * @return how many were taken, from 0 if the queue is full to {@code count}; -1 if the socket
   *     takes none any more
   */
  int ingress(byte[] bytes, int from, int count);
}
