package dev.paramecium.syscall;

/**
 * What a server answered.
 *
 * @param status 200, 404, …; 300 to 399 if it redirects to another host
 * @param body its first {@link #MAX_BODY} bytes
 */
public record HttpReply(int status, String body) {

  /** How much of a body is read ({@code maxRespBodyLength} of {@code pkg/probe/http}). */
  public static final int MAX_BODY = 10 * 1024;
}
