package dev.paramecium.inspect.cilium;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.proxy.LogRecord;
import dev.paramecium.container.proxy.LogRecord.Type;
import dev.paramecium.inspect.IdentityLabels;
import java.net.URI;
import java.util.List;
import java.util.stream.Collectors;

/** A line of the proxy's access log as the monitor prints it ({@code pkg/monitor/logrecord.go}). */
final class AccessLogFormat {

  private final IdentityLabels labels;

  AccessLogFormat(IdentityLabels labels) {
    this.labels = labels;
  }

  String text(LogRecord message) {
    LogRecord.Peer source = message.source();
    LogRecord.Peer destination = message.destination();
    String from = source.endpointId() + " (" + list(source) + ")";
    String to = destination.endpointId() + " (" + list(destination) + ")";
    boolean request = message.type() == Type.REQUEST;
    return (message.ingress() ? "<- " : "-> ")
        + (request ? "Request " : "Response ")
        + message.protocol()
        + (request ? " from " + from + " to " + to : " to " + to + " from " + from)
        + ", identity "
        + source.identity()
        + "->"
        + destination.identity()
        + ", verdict "
        + message.verdict()
        + about(message)
        + "\n";
  }

  private String list(LogRecord.Peer peer) {
    return labels.labelsOf(peer.identity()).stream().collect(Collectors.joining(" ", "[", "]"));
  }

  private static String about(LogRecord message) {
    LogRecord.Http http = message.http();
    if (http != null) {
      return " " + http.method() + " " + http.url() + " => " + http.code();
    }
    LogRecord.Dns dns = message.dns();
    if (dns == null) {
      return "";
    }
    String question = " DNS proxy: " + dns.query() + " " + dns.type();
    if (message.type() == Type.REQUEST) {
      return question;
    }
    return question
        + " TTL: "
        + dns.ttl()
        + " Answer: '"
        + dns.addresses().stream().map(Ipv4Address::toString).collect(Collectors.joining(","))
        + "'"
        + (dns.canonicalNames().isEmpty()
            ? ""
            : " CNAMEs: " + String.join(",", dns.canonicalNames()));
  }

  String json(LogRecord message) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("type", "logRecord");
    json.put("observationPoint", message.ingress() ? "Ingress" : "Egress");
    json.put("flowType", message.type() == Type.REQUEST ? "Request" : "Response");
    json.put("l7Proto", message.protocol());
    put(json, "src", message.source());
    put(json, "dst", message.destination());
    json.put("verdict", message.verdict().toString());
    LogRecord.Http http = message.http();
    if (http != null) {
      ObjectNode node = json.putObject("http");
      node.put("Code", http.code()).put("Method", http.method());
      url(node.putObject("URL"), http.url());
      node.put("Protocol", http.protocol()).putObject("Headers");
    }
    LogRecord.Dns dns = message.dns();
    if (dns != null) {
      ObjectNode node = json.putObject("dns");
      node.put("Query", dns.query());
      if (message.type() == Type.RESPONSE) {
        strings(node, "IPs", dns.addresses().stream().map(Ipv4Address::toString).toList());
        node.put("TTL", dns.ttl());
        strings(node, "CNAMEs", dns.canonicalNames());
      }
      node.put("ObservationSource", "proxy").put("RCode", dns.responseCode());
      strings(node, "QTypes", List.of(dns.type()));
    }
    return json + "\n";
  }

  private void put(ObjectNode json, String side, LogRecord.Peer peer) {
    json.put(side + "EpID", peer.endpointId());
    strings(json, side + "EpLabels", labels.labelsOf(peer.identity()));
    json.put(side + "Identity", peer.identity());
  }

  private static void strings(ObjectNode json, String name, List<String> values) {
    if (!values.isEmpty()) {
      ArrayNode array = json.putArray(name);
      values.forEach(array::add);
    }
  }

  /** As Go's net/url has it. */
  private static void url(ObjectNode json, String url) {
    String rest = url.substring(url.indexOf("://") + 3);
    int slash = rest.indexOf('/');
    String host = slash < 0 ? rest : rest.substring(0, slash);
    String target = slash < 0 ? "" : rest.substring(slash);
    int question = target.indexOf('?');
    String path = question < 0 ? target : target.substring(0, question);
    json.put("Scheme", "http").put("Opaque", "").putNull("User").put("Host", host);
    json.put("Path", decoded(path)).put("RawPath", "").put("ForceQuery", false);
    json.put("RawQuery", question < 0 ? "" : target.substring(question + 1));
    json.put("Fragment", "").put("RawFragment", "");
  }

  private static String decoded(String path) {
    try {
      String plain = URI.create(path).getPath();
      return plain == null ? path : plain;
    } catch (IllegalArgumentException _) {
      return path;
    }
  }
}
