package dev.paramecium.kernel;

import dev.paramecium.container.NetworkNamespace;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/** Passes what a container runtime is asked on to the namespace that the container is in. */
final class ContainerRuntime {

  /**
   * A container was removed from its namespace, or not; the kernel gives it to {@link #removed}.
   */
  record Removed(String id, Result<Done> result, ActorRef<Result<Done>> replyTo) {}

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final ActorContext<Object> context;
  private final Containers containers;

  ContainerRuntime(ActorContext<Object> context, Containers containers) {
    this.context = context;
    this.containers = containers;
  }

  void answer(Syscall.ContainerCall call) {
    switch (call) {
      case Syscall.StartContainer start -> start(start);
      case Syscall.StopContainer(var id, var graceMs, var replyTo) -> {
        NamespacePort namespace = placed(id);
        if (namespace == null) {
          replyTo.tell(noContainer(id));
        } else {
          namespace.namespace().tell(new NetworkNamespace.StopContainer(id, graceMs, replyTo));
        }
      }
      case Syscall.RemoveContainer(var id, var replyTo) -> {
        NamespacePort namespace = placed(id);
        if (namespace == null) {
          replyTo.tell(noContainer(id));
        } else {
          remove(id, namespace, replyTo);
        }
      }
      case Syscall.Exec(var request, var client) -> {
        NamespacePort namespace = containers.of(request.containerId());
        if (namespace == null) {
          client.tell(refused(request.containerId()));
        } else {
          namespace.namespace().tell(new NetworkNamespace.Exec(request, client));
        }
      }
      case Syscall.Attach(var id, var client) -> {
        NamespacePort namespace = placed(id);
        if (namespace == null) {
          client.tell(refused(id));
        } else {
          namespace.namespace().tell(new NetworkNamespace.Attach(id, client));
        }
      }
      case Syscall.ExecSync(var id, var argv, var timeoutMs, var replyTo) -> {
        NamespacePort namespace = placed(id);
        if (namespace == null) {
          replyTo.tell(noContainer(id));
        } else {
          namespace.namespace().tell(new NetworkNamespace.ExecSync(id, argv, timeoutMs, replyTo));
        }
      }
      case Syscall.WatchContainer(var id, var events, var replyTo) -> {
        NamespacePort namespace = placed(id);
        if (namespace == null) {
          replyTo.tell(noContainer(id));
        } else {
          namespace.namespace().tell(new NetworkNamespace.WatchContainer(id, events, replyTo));
        }
      }
      case Syscall.WriteFiles(var id, var files, var removed, var replyTo) -> {
        NamespacePort namespace = placed(id);
        if (namespace == null) {
          replyTo.tell(noContainer(id));
        } else {
          namespace.namespace().tell(new NetworkNamespace.WriteFiles(id, files, removed, replyTo));
        }
      }
      case Syscall.ListContainers(var replyTo) -> list(replyTo);
      case Syscall.ForwardPort(var id, var port, var client) -> {
        NamespacePort namespace = containers.of(id);
        if (namespace == null) {
          client.tell(refused(id));
        } else {
          namespace.namespace().tell(new NetworkNamespace.ForwardPort(port, client));
        }
      }
      case Syscall.ReadLog(var request, var client) -> {
        NamespacePort namespace = placed(request.containerId());
        if (namespace == null) {
          client.tell(refused(request.containerId()));
        } else {
          namespace.namespace().tell(new NetworkNamespace.ReadLog(request, client));
        }
      }
    }
  }

  /** Where a container is; null if there is none of that id. */
  private @Nullable NamespacePort placed(String id) {
    return id.isEmpty() ? null : containers.of(id);
  }

  private static <T> Result<T> noContainer(String id) {
    return Result.failed(Errno.ESRCH, "container \"" + id + "\" does not run here");
  }

  private static ExecOutput refused(String id) {
    return new ExecOutput.Refused(Errno.ESRCH, "container \"" + id + "\" does not run here");
  }

  private void start(Syscall.StartContainer start) {
    String id = start.spec().id();
    NamespacePort namespace = containers.namespace(start.spec().netns());
    String placed = containers.netnsOf(id);
    if (namespace == null) {
      start
          .replyTo()
          .tell(Result.failed(Errno.ENOENT, "there is no namespace " + start.spec().netns()));
    } else if (placed != null && !placed.equals(start.spec().netns())) {
      start.replyTo().tell(Result.failed(Errno.EEXIST, "container " + id + " runs in " + placed));
    } else {
      containers.place(id, start.spec().netns());
      namespace
          .namespace()
          .tell(new NetworkNamespace.StartContainer(start.spec(), start.events(), start.replyTo()));
    }
  }

  private void remove(String id, NamespacePort namespace, ActorRef<Result<Done>> replyTo) {
    CompletionStage<Result<Done>> removed =
        AskPattern.ask(
            namespace.namespace(),
            self -> new NetworkNamespace.RemoveContainer(id, self),
            TIMEOUT,
            context.getSystem().scheduler());
    context.pipeToSelf(
        removed,
        (result, failure) ->
            new Removed(
                id,
                failure == null
                    ? result
                    : Result.failed(Errno.EIO, String.valueOf(failure.getMessage())),
                replyTo));
  }

  void removed(Removed removed) {
    if (removed.result() instanceof Result.Ok<Done>) {
      containers.forget(removed.id());
    }
    removed.replyTo().tell(removed.result());
  }

  private void list(ActorRef<Result<List<ContainerInfo>>> replyTo) {
    CompletionStage<List<ContainerInfo>> all = CompletableFuture.completedFuture(new ArrayList<>());
    for (NamespacePort namespace : containers.all()) {
      CompletionStage<List<ContainerInfo>> here =
          AskPattern.ask(
              namespace.namespace(),
              NetworkNamespace.ListContainers::new,
              TIMEOUT,
              context.getSystem().scheduler());
      all =
          all.thenCombine(
              here,
              (before, more) -> {
                List<ContainerInfo> both = new ArrayList<>(before);
                both.addAll(more);
                return both;
              });
    }
    all.whenComplete(
        (infos, failure) ->
            replyTo.tell(
                failure == null
                    ? Result.ok(List.copyOf(infos))
                    : Result.failed(Errno.EIO, String.valueOf(failure.getMessage()))));
  }
}
