package dev.paramecium.container.process.curl;

import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.socket.SocketAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What curl knows about a transfer, for {@code -w}. Times are nanoseconds on the node's clock. */
final class Statistics {

  long startNs;
  long resolvedNs;
  long connectedNs;
  long requestedNs;
  long firstByteNs;
  long endNs;
  long redirectNs;
  int redirects;
  int connects;
  int httpCode;
  int httpMinor = 1;
  long headerBytes;
  long requestBytes;
  long downloaded;
  long uploaded;
  String method = "GET";
  String url = "";
  String urlEffective = "";
  String redirectUrl = "";
  String errorMessage = "";
  int exitCode;
  Headers headers = new Headers();
  @Nullable SocketAddress local;
  @Nullable SocketAddress remote;

  private String seconds(long atNs) {
    long since = atNs == 0 ? 0 : atNs - startNs;
    return String.format(Locale.ROOT, "%.6f", Math.max(0, since) / 1e9);
  }

  private long speed(long bytes) {
    long elapsed = Math.max(1000, endNs - startNs);
    return (long) (bytes / (elapsed / 1e9));
  }

  /** Expands a {@code -w} format. */
  String expand(String format) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      char next = i + 1 < format.length() ? format.charAt(i + 1) : '\0';
      if (c == '\\' && next != '\0') {
        i++;
        switch (next) {
          case 'n' -> text.append('\n');
          case 't' -> text.append('\t');
          case 'r' -> text.append('\r');
          default -> text.append(c).append(next);
        }
      } else if (c == '%' && next == '%') {
        i++;
        text.append('%');
      } else if (c == '%' && next == '{' && format.indexOf('}', i) > 0) {
        int end = format.indexOf('}', i);
        text.append(variable(format.substring(i + 2, end)));
        i = end;
      } else if (c == '%' && format.startsWith("header{", i + 1) && format.indexOf('}', i) > 0) {
        int end = format.indexOf('}', i);
        text.append(headers.get(format.substring(i + 8, end), ""));
        i = end;
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  private String variable(String name) {
    return switch (name) {
      case "http_code", "response_code" -> String.format(Locale.ROOT, "%03d", httpCode);
      case "http_connect" -> "000";
      case "http_version" -> httpCode == 0 ? "0" : httpMinor == 0 ? "1.0" : "1.1";
      case "content_type" -> headers.get("Content-Type", "");
      case "exitcode" -> String.valueOf(exitCode);
      case "errormsg" -> errorMessage;
      case "method" -> method;
      case "scheme" -> url.startsWith("https") ? "https" : "http";
      case "url" -> url;
      case "url_effective" -> urlEffective;
      case "redirect_url" -> redirectUrl;
      case "num_connects" -> String.valueOf(connects);
      case "num_redirects" -> String.valueOf(redirects);
      case "num_headers" -> String.valueOf(headers.fields().size());
      case "size_download" -> String.valueOf(downloaded);
      case "size_upload" -> String.valueOf(uploaded);
      case "size_header" -> String.valueOf(headerBytes);
      case "size_request" -> String.valueOf(requestBytes);
      case "speed_download" -> String.valueOf(speed(downloaded));
      case "speed_upload" -> String.valueOf(speed(uploaded));
      case "remote_ip" -> remote == null ? "" : remote.address().toString();
      case "remote_port" -> remote == null ? "0" : String.valueOf(remote.port());
      case "local_ip" -> local == null ? "" : local.address().toString();
      case "local_port" -> local == null ? "0" : String.valueOf(local.port());
      case "time_namelookup" -> seconds(resolvedNs);
      case "time_connect" -> seconds(connectedNs);
      case "time_appconnect" -> "0.000000";
      case "time_pretransfer" -> seconds(requestedNs);
      case "time_starttransfer" -> seconds(firstByteNs);
      case "time_redirect" -> String.format(Locale.ROOT, "%.6f", redirectNs / 1e9);
      case "time_total" -> seconds(endNs);
      case "ssl_verify_result", "proxy_ssl_verify_result" -> "0";
      default -> "";
    };
  }
}
