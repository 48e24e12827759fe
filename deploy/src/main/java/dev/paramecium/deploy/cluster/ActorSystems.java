package dev.paramecium.deploy.cluster;

import dev.paramecium.chaos.Machine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.pekko.actor.ActorSystemImpl;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.jspecify.annotations.Nullable;

/**
 * The members of a cluster inside this JVM, each an actor system: what is a signal to a process
 * elsewhere is here the end of an actor system without a word to the others, or its start. It takes
 * less than a tenth of a process's time, and nothing can be paused.
 */
final class ActorSystems implements Machine, AutoCloseable {

  private static final Duration END = Duration.ofSeconds(15);

  /** How long who asked for a crash has to say that it will happen. */
  private static final Duration WARNING = Duration.ofMillis(300);

  private final Map<String, Supplier<ActorSystem<Void>>> starts = new HashMap<>();
  private final Map<String, ActorSystem<Void>> running = new HashMap<>();
  private boolean closed;

  /**
   * Says how a member is started, and starts it.
   *
   * @param name the node's, or {@link ClusterMember#CONTROL_PLANE}
   */
  CompletableFuture<Void> add(String name, Supplier<ActorSystem<Void>> start) {
    synchronized (this) {
      starts.put(name, start);
    }
    // Threads of their own have their maker's class loader, where the configuration is.
    return CompletableFuture.supplyAsync(start, task -> Thread.ofPlatform().start(task))
        .thenAccept(system -> keep(name, system));
  }

  private synchronized void keep(String name, ActorSystem<Void> system) {
    if (closed) {
      abort(system);
    } else {
      running.put(name, system);
    }
  }

  @Override
  public List<String> sharing(String node) {
    required(node);
    return List.of(node);
  }

  @Override
  public void kill(String node) {
    ActorSystem<Void> system = taken(node);
    if (system != null) {
      abort(system);
      awaitEnd(node, system);
    }
  }

  @Override
  public void terminate(String node) {
    ActorSystem<Void> system = taken(node);
    if (system != null) {
      system.terminate();
      awaitEnd(node, system);
    }
  }

  @Override
  public void start(String node) {
    Supplier<ActorSystem<Void>> start = required(node);
    synchronized (this) {
      if (closed || running.containsKey(node)) {
        return;
      }
    }
    keep(node, start.get());
  }

  @Override
  public void pause(String node) {
    throw new IllegalStateException(
        node + " cannot be paused: it is inside another's process; use crash, or a process each");
  }

  @Override
  public void resume(String node) {
    required(node); // it was never paused
  }

  @Override
  public void crashSelf(Duration rest) {
    String self = ClusterMember.CONTROL_PLANE;
    after(
        WARNING,
        () -> {
          kill(self);
          after(rest.minus(WARNING), () -> start(self));
        });
  }

  @Override
  public void pauseSelf(Duration rest) {
    pause(ClusterMember.CONTROL_PLANE);
  }

  private static void after(Duration delay, Runnable what) {
    Thread.ofPlatform()
        .daemon()
        .name("member-restart")
        .start(
            () -> {
              try {
                TimeUnit.MILLISECONDS.sleep(Math.max(0, delay.toMillis()));
              } catch (InterruptedException _) {
                return; // the JVM ends, and with it the members
              }
              what.run();
            });
  }

  private synchronized Supplier<ActorSystem<Void>> required(String name) {
    Supplier<ActorSystem<Void>> start = starts.get(name);
    if (start == null) {
      throw new IllegalStateException(
          name + " is no member of this cluster: use " + String.join(", ", starts.keySet()));
    }
    return start;
  }

  private synchronized @Nullable ActorSystem<Void> taken(String name) {
    required(name);
    return running.remove(name);
  }

  /** As a process that is killed: nobody is told, nothing is finished. */
  private static void abort(ActorSystem<Void> system) {
    ((ActorSystemImpl) Adapter.toClassic(system)).abort();
  }

  private static void awaitEnd(String name, ActorSystem<Void> system) {
    try {
      system.getWhenTerminated().toCompletableFuture().get(END.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + name + " ends", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          name + "'s actor system did not end in " + END.toSeconds() + " s", e);
    }
  }

  /** Ends them all. */
  @Override
  public void close() {
    List<ActorSystem<Void>> left;
    synchronized (this) {
      closed = true;
      left = new ArrayList<>(running.values());
      running.clear();
    }
    left.forEach(ActorSystems::abort);
    left.forEach(system -> awaitEnd("a member", system));
  }
}
