package dev.paramecium.apiserver;

import static dev.paramecium.apiserver.Objects.object;
import static dev.paramecium.apiserver.Objects.pod;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.proto.StoredObject;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ApiServerTest {

  private static final ActorTestKit KIT = ActorTestKit.create();
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-01-02T03:04:05Z"));

  private ActorRef<ApiRequest> server;
  private ActorApiClient api;

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @BeforeEach
  void start() {
    server = KIT.spawn(ApiServer.inMemory(CLOCK));
    api = new ActorApiClient(KIT.system(), server);
  }

  private static ApiReply reply(CompletionStage<ApiReply> stage) {
    return stage.toCompletableFuture().join();
  }

  private static KubeObject stored(CompletionStage<ApiReply> stage) {
    ApiReply reply = reply(stage);
    assertThat(reply).isInstanceOf(ApiReply.Stored.class);
    return ((ApiReply.Stored) reply).object();
  }

  private static void fails(CompletionStage<ApiReply> stage, int code, String message) {
    assertThat(reply(stage))
        .isInstanceOfSatisfying(
            ApiReply.Failed.class,
            failed -> {
              assertThat(failed.code()).isEqualTo(code);
              assertThat(failed.message()).contains(message);
            });
  }

  private CompletionStage<ApiReply> patch(String name, String type, String body) {
    return org.apache.pekko.actor.typed.javadsl.AskPattern.ask(
        server,
        replyTo ->
            new ApiRequest.Patch(
                ResourceType.POD,
                "default",
                name,
                "",
                type,
                body.replace('\'', '"'),
                false,
                replyTo),
        java.time.Duration.ofSeconds(5),
        KIT.system().scheduler());
  }

  @Test
  void fillsInWhatAManifestLeavesOut() {
    KubeObject pod = stored(api.create(ResourceType.POD, pod("a", "x")));
    assertThat(pod.text("/spec/restartPolicy")).isEqualTo("Always");
    assertThat(pod.text("/spec/dnsPolicy")).isEqualTo("ClusterFirst");
    assertThat(pod.at("/spec/terminationGracePeriodSeconds").asInt()).isEqualTo(30);
    assertThat(pod.text("/spec/containers/0/imagePullPolicy")).isEqualTo("IfNotPresent");
    assertThat(pod.text("/status/phase")).isEqualTo("Pending");
    assertThat(pod.text("/status/qosClass")).isEqualTo("BestEffort");
    assertThat(pod.text("/metadata/creationTimestamp")).isEqualTo("2026-01-02T03:04:05Z");
    assertThat(pod.uid()).isNotEmpty();
    assertThat(pod.resourceVersion()).isPositive();
  }

  /** Defaults are equal to what a client reads and sends back. */
  @Test
  void whatIsSentBackAsItWasReadHasNotChanged() throws IOException {
    KubeObject made =
        stored(
            api.create(
                ResourceType.DEPLOYMENT,
                Objects.object(
                    """
                    {'metadata':{'name':'web','namespace':'default'},
                     'spec':{'selector':{'matchLabels':{'app':'web'}},
                             'template':{'metadata':{'labels':{'app':'web'}},
                                         'spec':{'containers':[{'name':'c','image':'nginx',
                                                 'livenessProbe':{'httpGet':{'port':80}}}]}}}}
                    """)));
    JsonNode read = new ObjectMapper().readTree(made.json().toString());
    KubeObject again =
        stored(api.update(ResourceType.DEPLOYMENT, new KubeObject((ObjectNode) read)));
    assertThat(again.at("/metadata/generation").asLong()).isEqualTo(1);
    assertThat(again.at("/spec")).isEqualTo(read.at("/spec"));
  }

  @Test
  void hasTheNamespacesThatEveryClusterHas() {
    for (String name : List.of("default", "kube-system", "kube-public", "kube-node-lease")) {
      assertThat(stored(api.get(ResourceType.NAMESPACE, "", name)).text("/status/phase"))
          .isEqualTo("Active");
    }
  }

  @Test
  void namesTheFieldThatIsWrong() {
    fails(
        api.create(
            ResourceType.POD,
            object("{'metadata':{'name':'x','namespace':'default'},'spec':{'containers':[]}}")),
        422,
        "Pod \"x\" is invalid: spec.containers: Required value");
    fails(
        api.create(ResourceType.POD, pod("Not_A_Name", "x")),
        422,
        "metadata.name: Invalid value: \"Not_A_Name\": a lowercase RFC 1123 subdomain");
  }

  @Test
  void refusesANameThatIsTakenANamespaceThatIsMissingAndAnObjectThatIsGone() {
    stored(api.create(ResourceType.POD, pod("a", "x")));
    fails(api.create(ResourceType.POD, pod("a", "x")), 409, "pods \"a\" already exists");
    KubeObject elsewhere = pod("a", "x").copy();
    elsewhere.json().withObject("/metadata").put("namespace", "nowhere");
    fails(api.create(ResourceType.POD, elsewhere), 404, "namespaces \"nowhere\" not found");
    fails(api.get(ResourceType.POD, "default", "b"), 404, "pods \"b\" not found");
  }

  @Test
  void refusesAnUpdateOfAnOldVersionAndSaysWhatToDo() {
    KubeObject first = stored(api.create(ResourceType.POD, pod("a", "x")));
    KubeObject changed = first.copy();
    changed.json().withObject("/metadata/labels").put("app", "y");
    KubeObject second = stored(api.update(ResourceType.POD, changed));
    assertThat(second.resourceVersion()).isGreaterThan(first.resourceVersion());
    fails(
        api.update(ResourceType.POD, changed),
        409,
        "Operation cannot be fulfilled on pods \"a\": the object has been modified; please apply"
            + " your changes to the latest version and try again");
  }

  @Test
  void keepsStatusAndSpecApart() {
    KubeObject pod = stored(api.create(ResourceType.POD, pod("a", "x")));
    KubeObject status = pod.copy();
    status.json().withObject("/status").put("phase", "Running");
    status.json().withObject("/metadata/labels").put("app", "ignored");
    KubeObject running = stored(api.updateStatus(ResourceType.POD, status));
    assertThat(running.text("/status/phase")).isEqualTo("Running");
    assertThat(running.labels()).containsEntry("app", "x");
    KubeObject labels = running.copy();
    labels.json().withObject("/status").put("phase", "Failed");
    assertThat(stored(api.update(ResourceType.POD, labels)).text("/status/phase"))
        .isEqualTo("Running");
  }

  @Test
  void aPodOnANodeIsDeletedInTwoStepsAnyOtherAtOnce() {
    stored(api.create(ResourceType.POD, pod("free", "x")));
    assertThat(reply(api.delete(ResourceType.POD, "default", "free", -1)))
        .isInstanceOf(ApiReply.Deleted.class);

    KubeObject bound = pod("bound", "x").copy();
    bound.json().withObject("/spec").put("nodeName", "node-1");
    stored(api.create(ResourceType.POD, bound));
    KubeObject going = stored(api.delete(ResourceType.POD, "default", "bound", -1));
    assertThat(going.text("/metadata/deletionTimestamp")).isEqualTo("2026-01-02T03:04:35Z");
    assertThat(going.at("/metadata/deletionGracePeriodSeconds").asInt()).isEqualTo(30);
    assertThat(reply(api.delete(ResourceType.POD, "default", "bound", 0, going.uid())))
        .isInstanceOf(ApiReply.Deleted.class);
    fails(api.get(ResourceType.POD, "default", "bound"), 404, "not found");
  }

  @Test
  void aFinalizerHoldsAnObjectUntilItIsTakenOff() {
    KubeObject held = pod("held", "x").copy();
    held.json().withObject("/metadata").putArray("finalizers").add("example.com/hold");
    stored(api.create(ResourceType.POD, held));
    assertThat(
            stored(api.delete(ResourceType.POD, "default", "held", 0))
                .text("/metadata/deletionTimestamp"))
        .isNotEmpty();
    reply(
        api.mergePatch(
            ResourceType.POD, "default", "held", "", "{\"metadata\":{\"finalizers\":null}}"));
    fails(api.get(ResourceType.POD, "default", "held"), 404, "not found");
  }

  @Test
  void aDeletionMeantForAPredecessorSparesTheSuccessor() {
    stored(api.create(ResourceType.POD, pod("a", "x")));
    fails(
        api.delete(ResourceType.POD, "default", "a", 0, "another-uid"),
        409,
        "Precondition failed: UID in precondition: another-uid");
  }

  @Test
  void aNamespaceTakesWhatIsInItAndNothingNewComesIn() {
    stored(api.create(ResourceType.NAMESPACE, object("{'metadata':{'name':'team'}}")));
    KubeObject pod = pod("a", "x").copy();
    pod.json().withObject("/metadata").put("namespace", "team");
    pod.json().withObject("/spec").put("nodeName", "node-1");
    stored(api.create(ResourceType.POD, pod));
    KubeObject terminating = stored(api.delete(ResourceType.NAMESPACE, "", "team", -1));
    assertThat(terminating.text("/status/phase")).isEqualTo("Terminating");
    KubeObject late = pod.copy();
    late.json().withObject("/metadata").put("name", "late");
    fails(api.create(ResourceType.POD, late), 403, "because it is being terminated");
    reply(api.delete(ResourceType.POD, "team", "a", 0));
    fails(api.get(ResourceType.NAMESPACE, "", "team"), 404, "not found");
  }

  @Test
  void listsWhatSelectorsPick() {
    stored(api.create(ResourceType.POD, pod("a", "x")));
    stored(api.create(ResourceType.POD, pod("b", "y")));
    KubeObject bound = pod("c", "y").copy();
    bound.json().withObject("/spec").put("nodeName", "node-1");
    stored(api.create(ResourceType.POD, bound));
    assertThat(names("app in (y, z)", "")).containsExactly("b", "c");
    assertThat(names("app=y,app!=z", "spec.nodeName=node-1")).containsExactly("c");
    assertThat(names("!app", "")).isEmpty();
    assertThat(names("", "metadata.name=a,status.phase!=Running")).containsExactly("a");
    fails(api.list(ResourceType.POD, "default", "app in (", ""), 400, "app in (");
    fails(
        api.list(ResourceType.POD, "default", "", "spec.hat=red"),
        400,
        "field label not supported");
  }

  private List<String> names(String labels, String fields) {
    ApiReply reply = reply(api.list(ResourceType.POD, "default", labels, fields));
    assertThat(reply).isInstanceOf(ApiReply.Listed.class);
    return ((ApiReply.Listed) reply).objects().stream().map(KubeObject::name).toList();
  }

  @Test
  void patchesInThreeWays() {
    stored(api.create(ResourceType.POD, pod("a", "x")));
    assertThat(
            stored(patch("a", "application/merge-patch+json", "{'metadata':{'labels':{'b':'1'}}}"))
                .labels())
        .containsOnlyKeys("app", "b");
    assertThat(
            stored(
                    patch(
                        "a",
                        "application/json-patch+json",
                        "[{'op':'test','path':'/metadata/labels/b','value':'1'},{'op':'remove','path':'/metadata/labels/b'}]"))
                .labels())
        .containsOnlyKeys("app");
    KubeObject strategic =
        stored(
            patch(
                "a",
                "application/strategic-merge-patch+json",
                "{'spec':{'containers':[{'name':'c','image':'busybox:2'}]}}"));
    assertThat(strategic.at("/spec/containers")).hasSize(1);
    assertThat(strategic.text("/spec/containers/0/image")).isEqualTo("busybox:2");
    assertThat(strategic.text("/spec/containers/0/terminationMessagePolicy")).isEqualTo("File");
    fails(patch("a", "application/merge-patch+json", "{"), 400, "");
    fails(patch("a", "text/plain", "{}"), 415, "text/plain");
  }

  @Test
  void whatCannotBeAnObjectIsRefusedAndTheServerLives() {
    for (String broken :
        List.of(
            "{'metadata':'x'}",
            "{'metadata':[]}",
            "{'metadata':{'name':{'a':1},'namespace':'default'}}",
            "{'metadata':{'name':'a','namespace':'default','labels':'x'},'spec':{'containers':[{'name':'c','image':'i'}]}}",
            "{'metadata':{'name':'a','namespace':'default'},'spec':7}",
            "{'metadata':{'name':'a','namespace':'default'},'spec':{'containers':{'name':'c'}}}",
            "{'metadata':{'name':'a','namespace':'default'},'spec':{'containers':['c']}}",
            "{'metadata':{'name':'a','namespace':'default'},'status':3,'spec':{'containers':[{'name':'c','image':'i'}]}}")) {
      ApiReply reply =
          reply(
              org.apache.pekko.actor.typed.javadsl.AskPattern.ask(
                  server,
                  replyTo ->
                      new ApiRequest.Create(
                          ResourceType.POD, "default", object(broken), false, replyTo),
                  java.time.Duration.ofSeconds(5),
                  KIT.system().scheduler()));
      assertThat(reply)
          .as(broken)
          .isInstanceOfSatisfying(
              ApiReply.Failed.class, failed -> assertThat(failed.code()).isBetween(400, 499));
    }
    stored(api.create(ResourceType.POD, pod("a", "x")));
  }

  @Test
  void aFullDiskRefusesWritesButNotReadsAndIsForgottenWhenThereIsRoomAgain() {
    FullDisk disk = new FullDisk();
    ActorApiClient client =
        new ActorApiClient(KIT.system(), KIT.spawn(ApiServer.create(disk, CLOCK)));
    KubeObject before = stored(client.create(ResourceType.POD, pod("a", "x")));
    disk.full = true;
    fails(
        client.create(ResourceType.POD, pod("b", "x")),
        500,
        "the journal cannot be written (No space left on device)");
    fails(client.get(ResourceType.POD, "default", "b"), 404, "not found");
    assertThat(stored(client.get(ResourceType.POD, "default", "a"))).isEqualTo(before);
    // After a restart the numbers of the lost writes are other writes'.
    assertThat(reply(client.list(ResourceType.POD, "default", "", "")))
        .isInstanceOfSatisfying(
            ApiReply.Listed.class,
            listed -> assertThat(listed.resourceVersion()).isEqualTo(before.resourceVersion()));
    disk.full = false;
    KubeObject after = stored(client.create(ResourceType.POD, pod("b", "x")));
    assertThat(after.resourceVersion()).isGreaterThan(before.resourceVersion());
  }

  @Test
  void aReadThatArrivesAheadOfAWriteDoesNotSeeIt() throws InterruptedException {
    FullDisk disk = new FullDisk();
    ActorApiClient client =
        new ActorApiClient(KIT.system(), KIT.spawn(ApiServer.create(disk, CLOCK)));
    stored(client.create(ResourceType.POD, pod("a", "x")));
    disk.gate = new CountDownLatch(1);
    CompletionStage<ApiReply> first = client.create(ResourceType.POD, pod("b", "x"));
    CompletionStage<ApiReply> read = client.get(ResourceType.POD, "default", "c");
    CompletionStage<ApiReply> second = client.create(ResourceType.POD, pod("c", "x"));
    disk.gate.countDown();
    stored(first);
    stored(second);
    fails(read, 404, "pods \"c\" not found");
  }

  /** A journal whose disk can be full, or slow. */
  private static final class FullDisk implements Journal {
    private final MemoryJournal records = new MemoryJournal();
    private volatile boolean full;
    private volatile CountDownLatch gate = new CountDownLatch(0);

    @Override
    public void replay(Consumer<StoredObject> record) {
      records.replay(record);
    }

    @Override
    public void append(List<StoredObject> more) throws IOException {
      if (full) {
        throw new IOException("No space left on device");
      }
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      records.append(more);
    }

    @Override
    public boolean wantsCompaction() {
      return false;
    }

    @Override
    public void compact(Collection<StoredObject> live, long resourceVersion) {
      records.compact(live, resourceVersion);
    }

    @Override
    public void close() {}
  }

  private KubeObject owner(String name) {
    return stored(
        api.create(
            ResourceType.CONFIG_MAP,
            Objects.object("{'metadata':{'name':'%s','namespace':'default'}}".formatted(name))));
  }

  private KubeObject ownedPod(String name, KubeObject... owners) {
    KubeObject pod = pod(name, "x");
    for (KubeObject owner : owners) {
      pod.json()
          .withObject("/metadata")
          .withArray("/ownerReferences")
          .addObject()
          .put("apiVersion", "v1")
          .put("kind", "ConfigMap")
          .put("name", owner.name())
          .put("uid", owner.uid())
          .put("blockOwnerDeletion", true);
    }
    return stored(api.create(ResourceType.POD, pod));
  }

  private ApiReply delete(String name, String propagation) {
    return reply(
        org.apache.pekko.actor.typed.javadsl.AskPattern.ask(
            server,
            replyTo ->
                new ApiRequest.Delete(
                    ResourceType.CONFIG_MAP, "default", name, -1, "", propagation, false, replyTo),
            java.time.Duration.ofSeconds(5),
            KIT.system().scheduler()));
  }

  @Test
  void whatNobodyElseOwnsGoesWithItsOwner() {
    KubeObject a = owner("a");
    KubeObject b = owner("b");
    ownedPod("of-a", a);
    ownedPod("of-both", a, b);

    assertThat(delete("a", "Background")).isInstanceOf(ApiReply.Deleted.class);

    fails(api.get(ResourceType.POD, "default", "of-a"), 404, "not found");
    KubeObject shared = stored(api.get(ResourceType.POD, "default", "of-both"));
    assertThat(shared.at("/metadata/ownerReferences").size()).isEqualTo(1);
    assertThat(shared.text("/metadata/ownerReferences/0/name")).isEqualTo("b");
  }

  @Test
  void anOwnerWaitsInTheForegroundForWhatBlocksIt() {
    KubeObject a = owner("a");
    KubeObject pod = ownedPod("p", a);
    stored(patch("p", "application/merge-patch+json", "{'metadata':{'finalizers':['test/held']}}"));

    assertThat(delete("a", "Foreground")).isInstanceOf(ApiReply.Stored.class);
    assertThat(
            stored(api.get(ResourceType.CONFIG_MAP, "default", "a")).text("/metadata/finalizers/0"))
        .isEqualTo("foregroundDeletion");

    assertThat(reply(patch("p", "application/merge-patch+json", "{'metadata':{'finalizers':[]}}")))
        .isInstanceOf(ApiReply.Deleted.class);
    fails(api.get(ResourceType.CONFIG_MAP, "default", "a"), 404, "not found");
    assertThat(pod.uid()).isNotEmpty();
  }

  @Test
  void orphansForgetTheirOwnerAndStay() {
    ownedPod("p", owner("a"));

    assertThat(delete("a", "Orphan")).isInstanceOf(ApiReply.Deleted.class);
    assertThat(
            stored(api.get(ResourceType.POD, "default", "p"))
                .at("/metadata/ownerReferences")
                .isMissingNode())
        .isTrue();
  }

  @Test
  void whatIsMadeForAnOwnerThatIsGoneGoesAtOnce() {
    KubeObject a = owner("a");
    delete("a", "Background");
    ownedPod("late", a);

    fails(api.get(ResourceType.POD, "default", "late"), 404, "not found");
  }

  @Test
  void everyNamespaceHasADefaultServiceAccount() {
    stored(api.create(ResourceType.NAMESPACE, Objects.object("{'metadata':{'name':'fresh'}}")));
    assertThat(stored(api.get(ResourceType.SERVICE_ACCOUNT, "fresh", "default")).uid())
        .isNotEmpty();
  }
}
