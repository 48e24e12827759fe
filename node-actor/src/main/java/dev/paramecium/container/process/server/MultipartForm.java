package dev.paramecium.container.process.server;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A {@code multipart/form-data} body (RFC 7578): fields, and files by the name of their field. */
record MultipartForm(Map<String, List<String>> fields, Map<String, List<String>> files) {

  private static final Pattern BOUNDARY = Pattern.compile("boundary=\"?([^\";]+)\"?");
  private static final Pattern NAME = Pattern.compile("[; ]name=\"([^\"]*)\"");

  /** Parses; parts that are not well formed are left out. */
  static MultipartForm parse(String contentType, byte[] body) {
    MultipartForm form = new MultipartForm(new LinkedHashMap<>(), new LinkedHashMap<>());
    Matcher boundary = BOUNDARY.matcher(contentType);
    if (!boundary.find()) {
      return form;
    }
    String text = "\r\n" + new String(body, StandardCharsets.ISO_8859_1);
    String[] parts = text.split(Pattern.quote("\r\n--" + boundary.group(1)), -1);
    for (int i = 1; i < parts.length && !parts[i].startsWith("--"); i++) {
      int blank = parts[i].indexOf("\r\n\r\n");
      Matcher name = NAME.matcher(parts[i]);
      if (blank >= 0 && name.find() && name.start() < blank) {
        byte[] content = parts[i].substring(blank + 4).getBytes(StandardCharsets.ISO_8859_1);
        boolean file = parts[i].substring(0, blank).contains("filename=");
        (file ? form.files : form.fields)
            .computeIfAbsent(name.group(1), _ -> new ArrayList<>())
            .add(Httpbin.safeText(content));
      }
    }
    return form;
  }
}
