package dev.paramecium.container.process.curl;

/**
 * Why a transfer failed.
 *
 * @param code curl's exit code
 */
record Failure(int code, String message) {

  static final int UNSUPPORTED_PROTOCOL = 1;
  static final int COULDNT_RESOLVE_HOST = 6;
  static final int COULDNT_CONNECT = 7;
  static final int PARTIAL_FILE = 18;
  static final int HTTP_RETURNED_ERROR = 22;
  static final int WRITE_ERROR = 23;
  static final int OPERATION_TIMEDOUT = 28;
  static final int SSL_CONNECT_ERROR = 35;
  static final int TOO_MANY_REDIRECTS = 47;
  static final int GOT_NOTHING = 52;
  static final int SEND_ERROR = 55;
  static final int RECV_ERROR = 56;
}
