package dev.paramecium.agent.service;

import dev.paramecium.agent.reconciler.Change;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.reconciler.MapReconciler.Applied;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/**
 * The agent's API for services: {@link Services} whose changes the reconciler writes. For the
 * agent's actor and what runs in it; what it answers may be awaited anywhere.
 */
public final class ServiceApi {

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Services services;
  private final ActorRef<MapReconciler.Command> reconciler;
  private final Scheduler scheduler;

  public ServiceApi(
      Services services, ActorRef<MapReconciler.Command> reconciler, Scheduler scheduler) {
    this.services = services;
    this.reconciler = reconciler;
    this.scheduler = scheduler;
  }

  /** By id. */
  public Collection<Service> list() {
    return services.all();
  }

  public @Nullable Service get(int id) {
    return services.get(id);
  }

  /** The service of a frontend, null if there is none. */
  @Nullable Service of(L3n4Addr frontend) {
    return services.of(frontend);
  }

  /**
   * {@code PUT /service/{id}}, done when the service is in the maps.
   *
   * @throws IllegalStateException with a message for the user
   */
  public CompletionStage<Services.Upserted> put(ServiceSpec spec) {
    Services.Upserted upserted = services.upsert(spec);
    return write(upserted.changes()).thenApply(_ -> upserted);
  }

  /** {@code DELETE /service/{id}}, done when nothing of it is in the maps; false if unknown. */
  public CompletionStage<Boolean> delete(int id) {
    List<Change> changes = services.delete(id);
    return changes == null
        ? CompletableFuture.completedFuture(false)
        : write(changes).thenApply(_ -> true);
  }

  /**
   * {@code PUT /service/0} with states: of backends, in whatever services.
   *
   * @throws IllegalStateException with a message for the user; the states before it are set
   */
  public CompletionStage<Applied> setBackendStates(Map<L3n4Addr, BackendState> states) {
    CompletionStage<Applied> written = CompletableFuture.completedFuture(new Applied(""));
    for (Map.Entry<L3n4Addr, BackendState> state : states.entrySet()) {
      List<Change> changes = services.updateBackendState(state.getKey(), state.getValue());
      CompletionStage<Applied> next = write(changes);
      written = written.thenCompose(_ -> next);
    }
    return written;
  }

  /** What goes is told after what comes, so that no entry names what has gone. */
  private CompletionStage<Applied> write(List<Change> changes) {
    CompletionStage<Applied> come = apply(changes.stream().filter(c -> c.value() != null).toList());
    CompletionStage<Applied> gone = apply(changes.stream().filter(c -> c.value() == null).toList());
    return come.thenCombine(gone, (one, other) -> one.error().isEmpty() ? other : one)
        .thenApply(
            applied -> {
              if (!applied.error().isEmpty()) {
                throw new IllegalStateException(applied.error());
              }
              return applied;
            });
  }

  private CompletionStage<Applied> apply(List<Change> changes) {
    return AskPattern.ask(
        reconciler, replyTo -> new MapReconciler.Apply(changes, 0, replyTo), TIMEOUT, scheduler);
  }
}
