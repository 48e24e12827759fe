package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Owners;
import dev.paramecium.controller.Write;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * The templates that a DaemonSet or StatefulSet has had, each in a ControllerRevision: what {@code
 * kubectl rollout history} lists and {@code rollout undo} returns to ({@code
 * pkg/controller/history}).
 *
 * <pre>
 *   web-5d8c   revision 1   {"spec": {"template": {…, "$patch": "replace"}}}
 *   web-77f4   revision 2   …    the set's template now
 * </pre>
 *
 * A template that returns does not get a second revision: its old one is given the next number.
 */
final class Revisions {

  /** The label of revisions and of the pods made from them. */
  static final String HASH = "controller-revision-hash";

  private static final int LIMIT = 10;
  private static final Comparator<KubeObject> OLDEST_FIRST =
      Comparator.comparingLong(Revisions::number).thenComparing(KubeObject::name);

  private final KubeObject set;
  private final List<KubeObject> known;
  private final KubeObject current;

  private Revisions(KubeObject set, List<KubeObject> known, KubeObject current) {
    this.set = set;
    this.known = known;
    this.current = current;
  }

  /**
   * A set's revisions, with one of the template that it has now.
   *
   * @param writes gets what makes them so
   */
  static Revisions of(KubeObject set, ObjectCache cache, List<Write> writes) {
    List<KubeObject> known =
        new ArrayList<>(
            Claims.claim(ResourceType.CONTROLLER_REVISION, set, _ -> true, cache, writes));
    known.sort(OLDEST_FIRST);
    long latest = known.isEmpty() ? 0 : number(known.getLast());
    ObjectNode data = patch(set);
    KubeObject current = null;
    for (KubeObject revision : known) {
      current = revision.at("/data").equals(data) ? revision : current;
    }
    if (current == null) {
      current = revision(set, data, latest + 1, cache);
      writes.add(new Write.Create(ResourceType.CONTROLLER_REVISION, current));
    } else if (number(current) < latest) {
      KubeObject renumbered = current.copy();
      renumbered.json().put("revision", latest + 1);
      writes.add(new Write.Update(ResourceType.CONTROLLER_REVISION, renumbered));
    }
    return new Revisions(set, known, current);
  }

  private static long number(KubeObject revision) {
    return revision.at("/revision").asLong();
  }

  /** The strategic merge patch that gives a set this template again. */
  private static ObjectNode patch(KubeObject set) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    ObjectNode template = set.at("/spec/template").deepCopy();
    patch.putObject("spec").set("template", template.put("$patch", "replace"));
    return patch;
  }

  private static KubeObject revision(
      KubeObject set, ObjectNode data, long number, ObjectCache cache) {
    JsonNode template = set.at("/spec/template");
    String hash = PodTemplateHash.unused(set, ResourceType.CONTROLLER_REVISION, cache);
    ObjectNode revision = JsonNodeFactory.instance.objectNode();
    revision.put("apiVersion", "apps/v1").put("kind", "ControllerRevision");
    ObjectNode metadata = revision.putObject("metadata");
    metadata.put("name", set.name() + "-" + hash).put("namespace", set.namespace());
    ObjectNode labels = metadata.putObject("labels");
    template.at("/metadata/labels").properties().forEach(l -> labels.set(l.getKey(), l.getValue()));
    labels.put(HASH, hash);
    // The cause of the change, which history shows, is among them.
    if (set.at("/metadata/annotations") instanceof ObjectNode annotations) {
      metadata.set("annotations", annotations.deepCopy());
    }
    Owners.setController(revision, set);
    revision.set("data", data);
    revision.put("revision", number);
    return new KubeObject(revision);
  }

  /** The name of the revision of the set's template now. */
  String name() {
    return current.name();
  }

  /** What marks pods of the set's template now. */
  String hash() {
    return current.labels().getOrDefault(HASH, "");
  }

  /** The template that a revision holds; the set's own if there is no such revision. */
  JsonNode template(String name) {
    return known.stream()
        .filter(revision -> revision.name().equals(name))
        .findFirst()
        .map(revision -> revision.at("/data/spec/template"))
        .map(Revisions::withoutDirective)
        .orElse(set.at("/spec/template"));
  }

  private static JsonNode withoutDirective(JsonNode template) {
    ObjectNode plain = template.deepCopy();
    plain.remove("$patch");
    return plain;
  }

  /**
   * Deletes the oldest of those that nothing uses, beyond {@code revisionHistoryLimit}.
   *
   * @param used names or hashes of revisions that pods were made from
   */
  void forget(Set<String> used, List<Write> writes) {
    List<KubeObject> unused =
        known.stream()
            .filter(revision -> !revision.name().equals(current.name()))
            .filter(revision -> !used.contains(revision.name()))
            .filter(revision -> !used.contains(revision.labels().getOrDefault(HASH, "")))
            .toList();
    int limit = set.at("/spec/revisionHistoryLimit").asInt(LIMIT);
    unused.stream()
        .limit(Math.max(0, unused.size() - limit))
        .forEach(old -> writes.add(new Write.Delete(ResourceType.CONTROLLER_REVISION, old)));
  }
}
