package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Services as environment variables ({@code pkg/kubelet/envvars}): {@code KUBERNETES_SERVICE_HOST}
 * for every pod, and those of its own namespace unless {@code enableServiceLinks} is false. The
 * kubelet writes it, its pods' workers read.
 */
final class ServiceLinks {

  private static final String API_SERVER = "default/kubernetes";

  private final Map<String, KubeObject> services = new ConcurrentHashMap<>();

  /** What the kubelet hears of Services. */
  void heard(InformerEvent event) {
    switch (event) {
      case InformerEvent.Upserted(KubeObject _, KubeObject service) ->
          services.put(service.namespace() + "/" + service.name(), service);
      case InformerEvent.Removed(KubeObject service) ->
          services.remove(service.namespace() + "/" + service.name());
      case InformerEvent.Synced _ -> {}
    }
  }

  /** The variables of a pod that starts now. */
  Map<String, String> of(KubeObject pod) {
    Map<String, String> env = new LinkedHashMap<>();
    boolean all = pod.at("/spec/enableServiceLinks").asBoolean(true);
    services.forEach(
        (key, service) -> {
          if (key.equals(API_SERVER) || all && service.namespace().equals(pod.namespace())) {
            add(env, service);
          }
        });
    return env;
  }

  private static void add(Map<String, String> env, KubeObject service) {
    String ip = service.text("/spec/clusterIP");
    JsonNode ports = service.at("/spec/ports");
    if (ip.isEmpty() || ip.equals("None") || ports.isEmpty()) {
      return;
    }
    String name = variable(service.name());
    env.put(name + "_SERVICE_HOST", ip);
    env.put(name + "_SERVICE_PORT", ports.get(0).path("port").asText());
    env.put(name + "_PORT", url(ip, ports.get(0)));
    for (JsonNode port : ports) {
      String portName = port.path("name").asText();
      if (!portName.isEmpty()) {
        env.put(name + "_SERVICE_PORT_" + variable(portName), port.path("port").asText());
      }
      String protocol = port.path("protocol").asText("TCP");
      String prefix = name + "_PORT_" + port.path("port").asText() + "_" + protocol;
      env.put(prefix, url(ip, port));
      env.put(prefix + "_PROTO", protocol.toLowerCase(Locale.ROOT));
      env.put(prefix + "_PORT", port.path("port").asText());
      env.put(prefix + "_ADDR", ip);
    }
  }

  private static String url(String ip, JsonNode port) {
    String protocol = port.path("protocol").asText("TCP").toLowerCase(Locale.ROOT);
    return protocol + "://" + ip + ":" + port.path("port").asText();
  }

  private static String variable(String name) {
    return name.toUpperCase(Locale.ROOT).replace('-', '_');
  }
}
