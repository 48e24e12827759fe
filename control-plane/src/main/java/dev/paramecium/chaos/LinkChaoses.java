package dev.paramecium.chaos;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Reconciler;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What the links of pods or of nodes have to do for all experiments of one kind that run: one
 * object a link, of the name of its owner.
 */
abstract class LinkChaoses implements Reconciler {

  static final String DEVICE = "eth0";

  private final ResourceType owner;
  private final ResourceType experiment;
  private final ResourceType link;

  /**
   * @param owner the kind whose links these are
   * @param experiment the kind that says what is wrong with them
   * @param link the kind of what is written
   */
  LinkChaoses(ResourceType owner, ResourceType experiment, ResourceType link) {
    this.owner = owner;
    this.experiment = experiment;
    this.link = link;
  }

  /** The owner of the link that a record of an experiment is about. */
  abstract Key owner(Experiment.Record record);

  /** Whether these links are where that experiment acts. */
  boolean isMine(KubeObject chaos) {
    return true;
  }

  /** Adds what one experiment asks of the link of one of its records. */
  abstract void add(
      LinkSpec spec,
      KubeObject chaos,
      Experiment.Record record,
      List<Experiment.Record> records,
      ObjectCache cache);

  /** Whether the link of one of its records has anything to do. */
  final boolean concerns(
      KubeObject chaos,
      Experiment.Record record,
      List<Experiment.Record> records,
      ObjectCache cache) {
    LinkSpec spec = new LinkSpec();
    add(spec, chaos, record, records, cache);
    return !spec.isEmpty();
  }

  @Override
  public final String name() {
    return link.kind().toLowerCase(Locale.ROOT) + "-controller";
  }

  @Override
  public final List<ResourceType> watched() {
    return List.of(owner, experiment, link);
  }

  @Override
  public final Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    if (changed.kind().equals(experiment.kind())) {
      return owners(changed);
    }
    Set<Key> keys = new LinkedHashSet<>(List.of(Key.of(changed)));
    if (changed.kind().equals(owner.kind())) {
      // Its address stands in the sets of those on the other side.
      for (KubeObject chaos : cache.all(experiment)) {
        List<Key> owners = owners(chaos);
        if (owners.contains(Key.of(changed))) {
          keys.addAll(owners);
        }
      }
    }
    return keys;
  }

  private List<Key> owners(KubeObject chaos) {
    return new Experiment(chaos).records().stream().map(this::owner).toList();
  }

  @Override
  public final Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject of = cache.get(owner, key.namespace(), key.name());
    if (of == null) {
      return Plan.NOTHING; // what it owned is collected
    }
    LinkSpec spec = new LinkSpec();
    for (KubeObject chaos : cache.all(experiment)) {
      Experiment running = new Experiment(chaos);
      if (running.runs() && isMine(chaos)) {
        for (Experiment.Record record : running.records()) {
          if (owner(record).equals(key)) {
            add(spec, chaos, record, running.records(), cache);
          }
        }
      }
    }
    return spec.plan(link, of, cache.get(link, key.namespace(), key.name()));
  }
}
