package dev.paramecium.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.identity.CiliumIdentities;
import dev.paramecium.identity.IdentityNumbers;
import dev.paramecium.identity.SecurityLabels;
import dev.paramecium.operator.IdentityAllocation.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

class IdentityAllocationTest {

  /**
   * An API server under the test's control: a request waits until the test lets it happen, and its
   * answer may be lost on the way, as may the request.
   */
  private static final class SlowApi implements ApiClient {

    private record Waiting(Supplier<ApiReply> request, CompletableFuture<ApiReply> answer) {}

    final Map<String, KubeObject> objects = new TreeMap<>();
    final List<Waiting> waiting = new ArrayList<>();
    private long revision;
    private long uids;

    private CompletionStage<ApiReply> later(Supplier<ApiReply> request) {
      CompletableFuture<ApiReply> answer = new CompletableFuture<>();
      waiting.add(new Waiting(request, answer));
      return answer;
    }

    /** Something happens to one waiting request. */
    void step(SplittableRandom random) {
      Waiting next = waiting.remove(random.nextInt(waiting.size()));
      ApiReply timeout = new ApiReply.Failed(504, "Timeout", "no answer");
      switch (random.nextInt(12)) {
        case 0 -> next.answer.complete(timeout);
        case 1 -> {
          ApiReply _ = next.request.get();
          next.answer.complete(timeout);
        }
        case 2 -> {
          // Whoever asked has crashed.
          ApiReply _ = next.request.get();
        }
        default -> next.answer.complete(next.request.get());
      }
    }

    void runAll() {
      while (!waiting.isEmpty()) {
        Waiting next = waiting.removeFirst();
        next.answer.complete(next.request.get());
      }
    }

    private KubeObject store(KubeObject object, String uid) {
      KubeObject copy = object.copy();
      copy.json()
          .withObjectProperty("metadata")
          .put("resourceVersion", Long.toString(++revision))
          .put("uid", uid);
      objects.put(copy.name(), copy);
      return copy;
    }

    @Override
    public CompletionStage<ApiReply> create(ResourceType type, KubeObject object) {
      return later(
          () ->
              objects.containsKey(object.name())
                  ? new ApiReply.Failed(409, "AlreadyExists", object.name())
                  : new ApiReply.Stored(store(object, "uid-" + ++uids), true));
    }

    @Override
    public CompletionStage<ApiReply> get(ResourceType type, String namespace, String name) {
      return later(
          () -> {
            KubeObject object = objects.get(name);
            return object == null
                ? new ApiReply.Failed(404, "NotFound", name)
                : new ApiReply.Stored(object, false);
          });
    }

    @Override
    public CompletionStage<ApiReply> update(ResourceType type, KubeObject object) {
      return later(
          () -> {
            KubeObject current = objects.get(object.name());
            if (current == null) {
              return new ApiReply.Failed(404, "NotFound", object.name());
            }
            return current.resourceVersion() == object.resourceVersion()
                ? new ApiReply.Stored(store(object, current.uid()), false)
                : new ApiReply.Failed(409, "Conflict", object.name());
          });
    }

    @Override
    public CompletionStage<ApiReply> delete(
        ResourceType type, String namespace, String name, long grace, String uid) {
      return later(
          () -> {
            KubeObject current = objects.get(name);
            if (current == null) {
              return new ApiReply.Failed(404, "NotFound", name);
            }
            if (!current.uid().equals(uid)) {
              return new ApiReply.Failed(409, "Conflict", name);
            }
            objects.remove(name);
            return new ApiReply.Deleted(current);
          });
    }

    @Override
    public CompletionStage<ApiReply> list(
        ResourceType type, String namespace, String labels, String fields) {
      throw new AssertionError("allocation lists nothing");
    }

    @Override
    public CompletionStage<ApiReply> updateStatus(ResourceType type, KubeObject object) {
      throw new AssertionError("an identity has no status");
    }

    @Override
    public CompletionStage<ApiReply> mergePatch(
        ResourceType type, String namespace, String name, String subresource, String body) {
      throw new AssertionError("allocation patches nothing");
    }

    @Override
    public void inform(
        ResourceType type,
        String namespace,
        String labels,
        String fields,
        ActorRef<InformerEvent> subscriber) {
      throw new AssertionError("allocation watches nothing");
    }
  }

  private static SecurityLabels labels(int number) {
    return new SecurityLabels(new TreeMap<>(Map.of("k8s:app", "app" + number)));
  }

  /** Label sets whose first number is the same: those that get into each other's way. */
  private static List<SecurityLabels> colliding() {
    Map<Integer, List<SecurityLabels>> byFirst = new HashMap<>();
    for (int i = 0; ; i++) {
      SecurityLabels labels = labels(i);
      List<SecurityLabels> same =
          byFirst.computeIfAbsent(
              new IdentityNumbers(labels.key()).candidate(0), _ -> new ArrayList<>());
      same.add(labels);
      if (same.size() == 3) {
        return same;
      }
    }
  }

  private static final List<SecurityLabels> COLLIDING = colliding();

  @Test
  void givesASecondLabelSetOfANumberItsNextNumber() {
    SlowApi api = new SlowApi();
    IdentityAllocation allocation = new IdentityAllocation(api);
    SecurityLabels first = COLLIDING.get(0);
    SecurityLabels second = COLLIDING.get(1);
    allocation.allocate(first);
    api.runAll();
    CompletionStage<Outcome> outcome = allocation.allocate(second);
    api.runAll();
    KubeObject identity = ((Outcome.Allocated) outcome.toCompletableFuture().join()).identity();
    assertThat(CiliumIdentities.number(identity))
        .isEqualTo(new IdentityNumbers(second.key()).candidate(1));
    KubeObject passed =
        api.objects.get(Integer.toString(new IdentityNumbers(first.key()).candidate(0)));
    assertThat(CiliumIdentities.isPassed(passed)).isTrue();
    CompletionStage<Boolean> released = allocation.release(passed);
    api.runAll();
    assertThat(released.toCompletableFuture().join()).as("a passed number stays").isFalse();
  }

  @Test
  void givesALabelSetThatComesBackItsNumberBack() {
    SlowApi api = new SlowApi();
    IdentityAllocation allocation = new IdentityAllocation(api);
    allocation.allocate(labels(1));
    api.runAll();
    KubeObject identity = api.objects.values().iterator().next();
    allocation.release(identity);
    api.runAll();
    assertThat(api.objects).isEmpty();
    allocation.allocate(labels(1));
    api.runAll();
    assertThat(api.objects).containsOnlyKeys(identity.name());
  }

  /** Two operators, lost requests, lost answers, crashes, late requests, releases: any order. */
  @Property(tries = 2000)
  void neverGivesALabelSetTwoNumbers(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    SlowApi api = new SlowApi();
    List<IdentityAllocation> operators =
        List.of(new IdentityAllocation(api), new IdentityAllocation(api));
    List<KubeObject> seen = new ArrayList<>();
    for (int step = 0; step < 150; step++) {
      int what = random.nextInt(10);
      IdentityAllocation operator = operators.get(random.nextInt(2));
      if (what < 2 && api.waiting.size() < 8) {
        operator.allocate(COLLIDING.get(random.nextInt(COLLIDING.size())));
      } else if (what == 2 && !seen.isEmpty()) {
        // Also one that was seen long ago and has changed, or is gone, since.
        operator.release(seen.get(random.nextInt(seen.size())));
      } else if (!api.waiting.isEmpty()) {
        api.step(random);
      }
      seen.addAll(api.objects.values());
      Set<SecurityLabels> sets = new HashSet<>();
      for (KubeObject identity : api.objects.values()) {
        assertThat(sets.add(CiliumIdentities.labels(identity)))
            .as("two numbers for %s, seed %d", CiliumIdentities.labels(identity), seed)
            .isTrue();
      }
    }
    // Whatever happened, every label set gets a number in the end.
    api.runAll();
    for (SecurityLabels labels : COLLIDING) {
      Outcome outcome = new Outcome.Later("");
      for (int attempt = 0; attempt < 5 && outcome instanceof Outcome.Later; attempt++) {
        for (KubeObject identity : List.copyOf(api.objects.values())) {
          if (CiliumIdentities.isReleasing(identity)) {
            operators.getFirst().release(identity);
            api.runAll();
          }
        }
        CompletionStage<Outcome> tried = operators.getFirst().allocate(labels);
        api.runAll();
        outcome = tried.toCompletableFuture().join();
      }
      assertThat(outcome).as("seed %d", seed).isInstanceOf(Outcome.Allocated.class);
    }
    assertThat(api.objects.values().stream().map(CiliumIdentities::labels))
        .as("seed %d", seed)
        .containsExactlyInAnyOrderElementsOf(COLLIDING);
  }
}
