package dev.paramecium.agent;

import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.MapInfo;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what endpoints have left behind whose pod is gone, as after a crash during CNI DEL: in
 * the kernel and in the API server. What cannot be removed is said in the log, and tried again by
 * the next sweep or the next start.
 */
final class LeftOvers {

  /** Not an actor's: the answers come on other threads. */
  private static final Logger log = LoggerFactory.getLogger(LeftOvers.class);

  private final KernelCalls kernel;
  private final ApiClient api;
  private final LocalEndpoints endpoints;

  LeftOvers(KernelCalls kernel, ApiClient api, LocalEndpoints endpoints) {
    this.kernel = kernel;
    this.api = api;
    this.endpoints = endpoints;
  }

  /** Deletes devices and programs of endpoints that no pod has any more. */
  void sweepKernel(List<LinkInfo> links, List<MapInfo> maps) {
    for (LinkInfo link : links) {
      if (endpoints.isLeftOver(link)) {
        removed("device " + link.name(), kernel.deleteLink(link.name()));
      }
    }
    for (MapInfo map : maps) {
      if (endpoints.isLeftOver(map)) {
        int endpointId = MapNames.policyMapEndpoint(map.name());
        removed("endpoint " + endpointId, kernel.unloadEndpointDatapath(endpointId));
      }
    }
  }

  /** Deletes this node's CiliumEndpoints that neither a pod nor an endpoint stands behind. */
  void sweepObjects(ClusterCache cache, NodeConfig config) {
    Map<String, KubeObject> objects = cache.ciliumEndpoints();
    objects.forEach(
        (key, object) -> {
          if (isOf(config, object)
              && !cache.hasPodOf(key, object)
              && endpoints.byPod(key) == null) {
            removed(
                "CiliumEndpoint " + key,
                api.delete(ResourceType.CILIUM_ENDPOINT, object.namespace(), object.name(), 0));
          }
        });
  }

  /** Whether a CiliumEndpoint is of that node. */
  static boolean isOf(NodeConfig config, KubeObject ciliumEndpoint) {
    return ciliumEndpoint.text("/status/networking/node").equals(config.nodeIp().toString());
  }

  private static void removed(String what, CompletionStage<?> call) {
    call.whenComplete(
        (reply, failure) -> {
          String error =
              failure != null
                  ? KernelCalls.message(failure)
                  : reply instanceof ApiReply.Failed failed && failed.code() != 404
                      ? failed.message()
                      : "";
          if (error.isEmpty()) {
            log.info("removed left-over {}", what);
          } else {
            log.warn("cannot remove {}: {}", what, error);
          }
        });
  }
}
