package dev.paramecium.agent;

import static dev.paramecium.agent.ClusterCache.key;

import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.desired.DesiredState;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.Change;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.service.Services;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What the cluster's objects want in this node's maps: each object claims entries, and what that
 * changes goes to the reconciler, all at once what a burst of objects changed. Used by the agent's
 * actor alone.
 */
final class MapClaims {

  private final NodeConfig config;
  private final ActorRef<MapReconciler.Command> reconciler;
  private final DesiredState desired = new DesiredState();
  private final List<Change> untold = new ArrayList<>();
  private long revision;
  private long toldRevision;

  MapClaims(NodeConfig config, ActorRef<MapReconciler.Command> reconciler) {
    this.config = config;
    this.reconciler = reconciler;
  }

  /** The maps are there; the node's own entries are the first. */
  void begin(Places places) {
    for (String map : List.of(MapNames.LXC, MapNames.IPCACHE, MapNames.TUNNEL)) {
      reconciler.tell(new MapReconciler.Manage(map, false));
    }
    Services.mapNames().forEach(map -> reconciler.tell(new MapReconciler.Manage(map, false)));
    claim("host", Claims.ofHost(config.nodeIp(), places.routerIp()), null);
  }

  /** An object of that version is reflected by what is claimed from now on. */
  void heard(KubeObject object) {
    revision = Math.max(revision, object.resourceVersion());
  }

  void node(KubeObject node, Places places) {
    if (!node.name().equals(config.nodeName())) {
      claim(
          "node/" + node.name(),
          Claims.ofRemoteNode(node, places.routerIp(), config.options()),
          null);
    }
  }

  void nodeGone(KubeObject node) {
    claim("node/" + node.name(), List.of(), null);
  }

  void endpoint(KubeObject endpoint) {
    heard(endpoint);
    claim("pod/" + key(endpoint), Claims.ofCiliumEndpoint(endpoint, config.nodeIp()), null);
  }

  void endpointGone(KubeObject endpoint) {
    heard(endpoint);
    claim("pod/" + key(endpoint), List.of(), null);
  }

  /**
   * Whatever {@code owner} claimed before, now it is this.
   *
   * @param replyTo hears when it is in the kernel; without it the reconciler is told by {@link
   *     #tell}
   */
  void claim(String owner, List<Claim> claims, @Nullable ActorRef<MapReconciler.Applied> replyTo) {
    untold.addAll(desired.replace(owner, claims));
    if (replyTo != null) {
      tell(replyTo);
    }
  }

  /** Whether there is something that the reconciler has not been told. */
  boolean wantTelling() {
    return !untold.isEmpty() || revision > toldRevision;
  }

  /** Tells the reconciler what has changed since it was told last. */
  void tell() {
    if (wantTelling()) {
      tell(null);
    }
  }

  private void tell(@Nullable ActorRef<MapReconciler.Applied> replyTo) {
    reconciler.tell(new MapReconciler.Apply(List.copyOf(untold), revision, replyTo));
    untold.clear();
    toldRevision = revision;
  }

  /** The ipcache's entries that are wanted. */
  Map<Bytes, Claim> ipcache() {
    return desired.effective(MapNames.IPCACHE);
  }
}
