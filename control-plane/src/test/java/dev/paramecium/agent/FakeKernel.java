package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.service.Services;
import dev.paramecium.syscall.AgentCall;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecResult;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.MapEntry;
import dev.paramecium.syscall.MapInfo;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.syscall.VethPair;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * A kernel that keeps namespaces, links, maps and containers as real one would, forwards no packet,
 * and records each call in order. Tests read its state from their own thread.
 */
public final class FakeKernel {

  /** The state, which outlives the actors that use it, as a kernel outlives its userland. */
  public final Map<String, Boolean> namespaces = new ConcurrentHashMap<>();

  public final Map<String, LinkInfo> links = new ConcurrentSkipListMap<>();
  public final Map<String, Map<Bytes, Bytes>> maps = new ConcurrentHashMap<>();
  public final Map<Integer, Integer> programs = new ConcurrentHashMap<>();
  public final Map<String, ContainerSpec> containers = new ConcurrentHashMap<>();
  public final List<String> calls = new CopyOnWriteArrayList<>();

  /** What was written into containers, by their id and the path. */
  public final Map<String, String> files = new ConcurrentHashMap<>();

  /** Who listens on the agent's socket. */
  public volatile @Nullable ActorRef<AgentCall> agent;

  /** Calls that fail, by the text that {@link #calls} would have. */
  public volatile Predicate<String> failing = _ -> false;

  /** What probes and hooks are told. */
  public volatile Answers answers = new Answers() {};

  /**
   * What containers answer to probes and hooks; everything succeeds unless a test says otherwise.
   */
  public interface Answers {

    default Result<ExecResult> exec(List<String> argv) {
      return Result.ok(new ExecResult(0, ""));
    }

    default Result<HttpReply> get(HttpRequest request) {
      return Result.ok(new HttpReply(200, "ok"));
    }

    default Result<Long> ping(Ipv4Address address) {
      return Result.ok(312_500L);
    }

    default Result<Done> connect(int port) {
      return Result.ok(Done.done());
    }
  }

  private Syscall.@Nullable ConfigureProxy proxy;
  private final Map<String, ActorRef<ContainerEvent>> listeners = new ConcurrentHashMap<>();
  private final AtomicInteger ifindexes = new AtomicInteger(10);

  public FakeKernel() {
    for (String map : List.of(MapNames.LXC, MapNames.IPCACHE, MapNames.TUNNEL)) {
      maps.put(map, new ConcurrentHashMap<>());
    }
    Services.mapNames().forEach(map -> maps.put(map, new ConcurrentHashMap<>()));
  }

  /** The containers that a kubelet has started: the agent starts some of its own. */
  public Map<String, ContainerSpec> podContainers() {
    Map<String, ContainerSpec> ofPods = new HashMap<>(containers);
    ofPods.values().removeIf(spec -> spec.podUid().isEmpty());
    return ofPods;
  }

  public Behavior<Syscall> behavior() {
    return Behaviors.receiveMessage(
        call -> {
          handle(call);
          return Behaviors.same();
        });
  }

  /** Ends a container's process. */
  public void exit(String containerName, int exitCode) {
    // A copy: whoever hears of the end may start the container again at once.
    Map.copyOf(containers)
        .forEach(
            (id, spec) -> {
              if (spec.containerName().equals(containerName)) {
                stopped(id, exitCode);
              }
            });
  }

  private void stopped(String id, int exitCode) {
    if (containers.remove(id) != null) {
      listeners.remove(id).tell(new ContainerEvent.Exited(id, exitCode, ""));
    }
  }

  /** What the node's proxy was told last; null before. */
  Syscall.@Nullable ConfigureProxy proxy() {
    return proxy;
  }

  private <T> boolean refused(String call, ActorRef<Result<T>> replyTo) {
    calls.add(call);
    if (failing.test(call)) {
      replyTo.tell(Result.failed(Errno.E2BIG, "the test lets " + call + " fail"));
      return true;
    }
    return false;
  }

  private static void done(ActorRef<Result<Done>> replyTo) {
    replyTo.tell(Result.ok(Done.done()));
  }

  private void handle(Syscall call) {
    switch (call) {
      case Syscall.ConfigureProxy c -> {
        if (!refused("ConfigureProxy", c.replyTo())) {
          proxy = c;
          done(c.replyTo());
        }
      }
      case Syscall.CreateNetns c -> {
        if (!refused("CreateNetns " + c.netns(), c.replyTo())) {
          if (namespaces.put(c.netns(), true) == null) {
            done(c.replyTo());
          } else {
            c.replyTo().tell(Result.failed(Errno.EEXIST, c.netns() + " exists"));
          }
        }
      }
      case Syscall.DeleteNetns c -> {
        if (!refused("DeleteNetns " + c.netns(), c.replyTo())) {
          containers.forEach(
              (id, spec) -> {
                if (spec.netns().equals(c.netns())) {
                  stopped(id, 137);
                }
              });
          links.values().stream()
              .filter(link -> link.netns().equals(c.netns()))
              .toList()
              .forEach(this::removeBothEnds);
          if (namespaces.remove(c.netns()) == null) {
            c.replyTo().tell(Result.failed(Errno.ENOENT, "no " + c.netns()));
          } else {
            done(c.replyTo());
          }
        }
      }
      case Syscall.CreateVeth c -> {
        if (!refused("CreateVeth " + c.name() + " " + c.netns() + " " + c.mtu(), c.replyTo())) {
          createVeth(c);
        }
      }
      case Syscall.DeleteLink c -> {
        if (!refused("DeleteLink " + c.name(), c.replyTo())) {
          LinkInfo link = links.get("/" + c.name());
          if (link == null) {
            c.replyTo().tell(Result.failed(Errno.ENODEV, "no " + c.name()));
          } else {
            removeBothEnds(link);
            done(c.replyTo());
          }
        }
      }
      case Syscall.ReplaceLinkFaults c -> {
        String text = "ReplaceLinkFaults " + c.netns() + " " + c.device() + " " + c.faults();
        if (!refused(text, c.replyTo())) {
          done(c.replyTo());
        }
      }
      case Syscall.ConfigurePodInterface c -> {
        String text =
            "ConfigurePodInterface "
                + c.ifname()
                + " "
                + c.address()
                + " via "
                + c.gateway()
                + " mtu "
                + c.mtu();
        if (!refused(text, c.replyTo())) {
          done(c.replyTo());
        }
      }
      case Syscall.ReplaceRoute c -> {
        String text = "ReplaceRoute " + c.prefix() + " via " + c.gateway() + " dev " + c.device();
        if (!refused(text, c.replyTo())) {
          done(c.replyTo());
        }
      }
      case Syscall.DeleteRoute c -> {
        if (!refused("DeleteRoute " + c.prefix(), c.replyTo())) {
          done(c.replyTo());
        }
      }
      case Syscall.ListLinks c -> c.replyTo().tell(Result.ok(List.copyOf(links.values())));
      case Syscall.LoadNodeDatapath c -> {
        if (!refused("LoadNodeDatapath " + c.config().podCidr(), c.replyTo())) {
          done(c.replyTo());
        }
      }
      case Syscall.LoadEndpointDatapath c -> {
        String text =
            "LoadEndpointDatapath "
                + c.config().endpointId()
                + " identity "
                + c.config().securityIdentity();
        if (!refused(text, c.replyTo())) {
          maps.computeIfAbsent(
              MapNames.policyMapName(c.config().endpointId()), _ -> new ConcurrentHashMap<>());
          programs.put(c.config().endpointId(), c.config().securityIdentity());
          c.replyTo().tell(Result.ok(2900 + c.config().endpointId()));
        }
      }
      case Syscall.UnloadEndpointDatapath c -> {
        if (!refused("UnloadEndpointDatapath " + c.endpointId(), c.replyTo())) {
          programs.remove(c.endpointId());
          maps.remove(MapNames.policyMapName(c.endpointId()));
          done(c.replyTo());
        }
      }
      case Syscall.UpdateMap c -> {
        if (!refused("UpdateMap " + c.map() + keys(c), c.replyTo())) {
          Map<Bytes, Bytes> map = maps.get(c.map());
          if (map == null) {
            c.replyTo().tell(Result.failed(Errno.ENOENT, "no map " + c.map()));
          } else {
            c.upserts().forEach(e -> map.put(new Bytes(e.key()), new Bytes(e.value())));
            c.deletes().forEach(key -> map.remove(new Bytes(key)));
            done(c.replyTo());
          }
        }
      }
      case Syscall.FillMap c -> done(c.replyTo());
      case Syscall.DumpMap c -> {
        Map<Bytes, Bytes> map = maps.get(c.map());
        if (map == null) {
          c.replyTo().tell(Result.failed(Errno.ENOENT, "no map " + c.map()));
        } else {
          List<MapEntry> entries = new ArrayList<>();
          map.forEach((key, value) -> entries.add(new MapEntry(key.array(), value.array())));
          c.replyTo().tell(Result.ok(entries));
        }
      }
      case Syscall.ListMaps c -> {
        List<MapInfo> infos = new ArrayList<>();
        maps.forEach((n, map) -> infos.add(new MapInfo(1, n, "hash", 4, 4, 16384, map.size())));
        infos.add(new MapInfo(2, MapNames.CT4_GLOBAL, "lru_hash", 14, 56, 524288, 0));
        c.replyTo().tell(Result.ok(infos));
      }
      case Syscall.StartContainer c -> {
        String text = "StartContainer " + c.spec().podName() + " " + c.spec().containerName();
        if (!refused(text, c.replyTo())) {
          containers.put(c.spec().id(), c.spec());
          listeners.put(c.spec().id(), c.events());
          done(c.replyTo());
          c.events().tell(new ContainerEvent.Started(c.spec().id(), ""));
        }
      }
      case Syscall.StopContainer c -> {
        ContainerSpec spec = containers.get(c.containerId());
        String name = spec == null ? c.containerId() : spec.containerName();
        if (!refused("StopContainer " + name + " " + c.graceMs(), c.replyTo())) {
          done(c.replyTo());
          stopped(c.containerId(), 143);
        }
      }
      case Syscall.RemoveContainer c -> {
        calls.add("RemoveContainer " + c.containerId());
        done(c.replyTo());
      }
      case Syscall.WriteFiles c -> {
        c.removed().forEach(path -> files.remove(c.containerId() + path));
        c.files()
            .forEach(
                (path, bytes) ->
                    files.put(c.containerId() + path, new String(bytes, StandardCharsets.UTF_8)));
        done(c.replyTo());
      }
      case Syscall.Exec c -> {
        calls.add("Exec " + c.request().containerId() + " " + c.request().argv());
        speak(c.client(), "ran " + String.join(" ", c.request().argv()) + "\n");
      }
      case Syscall.Attach c -> speak(c.client(), "attached to " + c.containerId() + "\n");
      case Syscall.ExecSync c -> {
        calls.add("ExecSync " + String.join(" ", c.argv()));
        c.replyTo().tell(answers.exec(c.argv()));
      }
      case Syscall.ListContainers c ->
          c.replyTo()
              .tell(
                  Result.ok(
                      containers.values().stream()
                          .map(spec -> new ContainerInfo(spec, true, 0, 0, 0, 0))
                          .toList()));
      case Syscall.WatchContainer c -> {
        calls.add("WatchContainer " + c.containerId());
        if (containers.containsKey(c.containerId())) {
          listeners.put(c.containerId(), c.events());
          done(c.replyTo());
          c.events().tell(new ContainerEvent.Started(c.containerId(), ""));
        } else {
          c.replyTo().tell(Result.failed(Errno.ENOENT, "no container " + c.containerId()));
        }
      }
      case Syscall.HttpGet c -> {
        calls.add(
            "HttpGet " + c.request().address() + ":" + c.request().port() + c.request().target());
        c.replyTo().tell(answers.get(c.request()));
      }
      case Syscall.ConnectTcp c -> {
        calls.add("ConnectTcp " + c.address() + ":" + c.port());
        c.replyTo().tell(answers.connect(c.port()));
      }
      case Syscall.Ping c -> c.replyTo().tell(answers.ping(c.address()));
      case Syscall.NameIdentities c -> done(c.replyTo());
      case Syscall.ServeAgentSocket c -> {
        agent = c.agent();
        done(c.replyTo());
      }
      case Syscall.ForwardPort c -> speak(c.client(), "port " + c.port() + "\n");
      case Syscall.ReadLog c -> speak(c.client(), "log of " + c.request().containerId() + "\n");
      case Syscall.ArmTrace c -> done(c.replyTo());
      case Syscall.DisarmTrace c -> done(c.replyTo());
      case Syscall.OpenPerfRing c -> done(c.replyTo());
      case Syscall.ReadCounters c -> c.replyTo().tell(Result.ok(Map.of("packets", 0L)));
    }
  }

  private static void speak(ActorRef<ExecOutput> client, String text) {
    client.tell(new ExecOutput.Data(1, text.getBytes(StandardCharsets.UTF_8)));
    client.tell(new ExecOutput.Exited(0));
  }

  private static String keys(Syscall.UpdateMap call) {
    StringBuilder text = new StringBuilder();
    call.upserts().forEach(e -> text.append(" +").append(new Bytes(e.key())));
    call.deletes().forEach(key -> text.append(" -").append(new Bytes(key)));
    return text.toString();
  }

  private void createVeth(Syscall.CreateVeth c) {
    if (links.containsKey("/" + c.name()) || !namespaces.containsKey(c.netns())) {
      c.replyTo()
          .tell(Result.failed(Errno.EEXIST, c.name() + " exists, or its namespace does not"));
      return;
    }
    int pod = ifindexes.getAndIncrement();
    int host = ifindexes.getAndIncrement();
    LinkInfo hostLink =
        new LinkInfo(
            host,
            c.name(),
            LinkInfo.Kind.VETH,
            MacAddress.locallyAdministered(host),
            c.mtu(),
            pod,
            "",
            c.netns());
    LinkInfo podLink =
        new LinkInfo(
            pod,
            c.peerName(),
            LinkInfo.Kind.VETH,
            MacAddress.locallyAdministered(pod),
            c.mtu(),
            host,
            c.netns(),
            "");
    links.put("/" + c.name(), hostLink);
    links.put(c.netns() + "/" + c.peerName(), podLink);
    c.replyTo().tell(Result.ok(new VethPair(hostLink, podLink)));
  }

  private void removeBothEnds(LinkInfo link) {
    links
        .values()
        .removeIf(l -> l.ifindex() == link.ifindex() || l.ifindex() == link.peerIfindex());
  }
}
