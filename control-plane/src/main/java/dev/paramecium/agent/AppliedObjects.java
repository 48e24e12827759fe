package dev.paramecium.agent;

import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.VersionDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which of the API server's objects this node's maps reflect. One that the agent refuses changes no
 * map, so it is reflected, too.
 *
 * <pre>
 *   API server  -->  heard  --(nothing waits to be worked out or written)-->  applied
 * </pre>
 */
final class AppliedObjects {

  /**
   * What was heard at one moment, by kind.
   *
   * @param newest the highest resourceVersion of any change
   * @param digests over the objects that there are, as {@link VersionDigest} has it
   */
  record Picture(Map<String, Long> newest, Map<String, Long> digests) {

    static final Picture NOTHING = new Picture(Map.of(), Map.of());
  }

  private final Map<String, Map<String, Long>> versions = new TreeMap<>();
  private final Map<String, Long> newest = new TreeMap<>();
  private final Map<String, Long> digests = new TreeMap<>();
  private Picture applied = Picture.NOTHING;

  /** Every kind that the agent watches is told of, also while there is no object of it. */
  AppliedObjects() {
    ClusterCache.WATCHED.forEach(type -> digests.put(type.kind(), 0L));
  }

  /** Takes in what the API server says. */
  void hear(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced _ -> {}
      case InformerEvent.Upserted upserted -> {
        KubeObject object = upserted.current();
        Long old = known(object.kind()).put(ClusterCache.key(object), object.resourceVersion());
        changed(object, old, VersionDigest.of(object.resourceVersion()));
      }
      // With the version of its deletion, not the one that it had.
      case InformerEvent.Removed(KubeObject last) ->
          changed(last, known(last.kind()).remove(ClusterCache.key(last)), 0);
    }
  }

  private Map<String, Long> known(String kind) {
    return versions.computeIfAbsent(kind, _ -> new HashMap<>());
  }

  private void changed(KubeObject object, @Nullable Long old, long added) {
    newest.merge(object.kind(), object.resourceVersion(), Math::max);
    digests.merge(object.kind(), added - (old == null ? 0 : VersionDigest.of(old)), Long::sum);
  }

  /** What was heard until now; to be asked before what waits is counted. */
  Picture heard() {
    return new Picture(Map.copyOf(newest), Map.copyOf(digests));
  }

  /**
   * Looks again.
   *
   * @param heard before it was asked how far the kernel is; null while something waited to be
   *     worked out
   * @return what the maps reflect; what was true before stays true
   */
  Picture look(
      @Nullable Picture heard,
      MapReconciler.Progress progress,
      LocalEndpoints endpoints,
      NodePolicy policy) {
    if (heard != null
        && progress != MapReconciler.Progress.UNKNOWN
        && progress.pending() == 0
        && isReflected(endpoints, policy)) {
      applied = heard;
    }
    return applied;
  }

  /** Whether every endpoint has the map that was worked out for it last. */
  boolean isReflected(LocalEndpoints endpoints, NodePolicy policy) {
    return endpoints.all().stream()
        .allMatch(local -> reflects(local.model, policy.drained(local.model.spec().id())));
  }

  /** An endpoint for which no map could be worked out has none to wait for. */
  private static boolean reflects(EndpointModel endpoint, @Nullable EndpointMap drained) {
    return drained == null || drained.equals(endpoint.policy());
  }
}
