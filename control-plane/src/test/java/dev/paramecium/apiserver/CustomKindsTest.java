package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Kinds that users define. */
class CustomKindsTest {

  private static final ActorTestKit KIT = ActorTestKit.create();
  private static final ResourceType GADGETS =
      new ResourceType("example.com", "v1", "gadgets", "Gadget", true);
  private static final ResourceType OLD_GADGETS =
      new ResourceType("example.com", "v1beta1", "gadgets", "Gadget", true);

  private static final String DEFINITION =
      """
      {'metadata':{'name':'gadgets.example.com'},'spec':{'group':'example.com','scope':'Namespaced',
       'names':{'plural':'gadgets','kind':'Gadget'},
       'versions':[
        {'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object','properties':{'spec':{'type':'object','required':['size'],
          'properties':{'size':{'type':'integer','minimum':1,'maximum':9},'color':{'type':'string','default':'red','enum':['red','blue']},
                        'tags':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string','pattern':'^[a-z]+$'}},
                        'free':{'type':'object','x-kubernetes-preserve-unknown-fields':true}}}}}}},
        {'name':'v1beta1','served':true,'storage':false,'schema':{'openAPIV3Schema':{'type':'object','x-kubernetes-preserve-unknown-fields':true}}}]}}
      """;

  private final ActorApiClient api =
      new ActorApiClient(
          KIT.system(),
          KIT.spawn(
              ApiServer.inMemory(InstantSource.fixed(Instant.parse("2026-01-02T03:04:05Z")))));

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private static ApiReply reply(CompletionStage<ApiReply> stage) {
    return stage.toCompletableFuture().join();
  }

  private ApiReply define(String definition) {
    return reply(api.create(ResourceType.CUSTOM_RESOURCE_DEFINITION, Objects.object(definition)));
  }

  private ApiReply create(String spec) {
    return reply(
        api.create(
            GADGETS,
            Objects.object("{'metadata':{'name':'g','namespace':'default'},'spec':" + spec + "}")));
  }

  private static KubeObject object(ApiReply reply) {
    assertThat(reply).isInstanceOf(ApiReply.Stored.class);
    return ((ApiReply.Stored) reply).object();
  }

  private static List<String> causes(ApiReply reply) {
    assertThat(reply).isInstanceOf(ApiReply.Failed.class);
    return ((ApiReply.Failed) reply)
        .about().causes().stream().map(cause -> cause.field() + ": " + cause.message()).toList();
  }

  @Test
  void aDefinedKindHasItsDefaultsAndLosesWhatItDoesNotKnow() {
    object(define(DEFINITION));

    KubeObject made = object(create("{'size':3,'what':1,'free':{'a':{'b':1}}}"));

    assertThat(made.at("/spec").toString())
        .isEqualTo("{\"size\":3,\"free\":{\"a\":{\"b\":1}},\"color\":\"red\"}");
    assertThat(object(reply(api.get(OLD_GADGETS, "default", "g"))).apiVersion())
        .isEqualTo("example.com/v1beta1");
  }

  @Test
  void whatItsSchemaForbidsIsNamedByField() {
    object(define(DEFINITION));

    assertThat(causes(create("{'size':10,'color':'green','tags':['a','B','a']}")))
        .containsExactly(
            "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9",
            "spec.color: Unsupported value: \"green\": supported values: \"red\", \"blue\"",
            "spec.tags[2]: Duplicate value: \"a\"",
            "spec.tags[1]: Invalid value: \"B\": spec.tags[1] in body should match '^[a-z]+$'");
    assertThat(causes(create("{'color':1}")))
        .containsExactly(
            "spec.size: Required value",
            "spec.color: Invalid value: \"integer\": spec.color in body must be of type string:"
                + " \"integer\"");
  }

  @Test
  void patternsAreGosAndTakeNoLongerForALongText() {
    assertThat(causes(define(DEFINITION.replace("^[a-z]+$", "^([a-z"))))
        .anyMatch(cause -> cause.contains(".items.pattern: Invalid value: \"^([a-z\""));
    object(define(DEFINITION.replace("^[a-z]+$", "^([a-z]+[.]?)+$")));
    object(create("{'size':3,'tags':['" + "a.".repeat(20_000) + "']}"));
    assertThat(causes(create("{'size':3,'tags':['" + "a".repeat(200) + "!']}"))).hasSize(1);
  }

  @Test
  void aDefinitionThatIsNotStructuralIsRefused() {
    assertThat(
            causes(define(DEFINITION.replace("'type':'array',", "").replace("gadgets.ex", "ex"))))
        .contains(
            "metadata.name: Invalid value: \"example.com\": must be"
                + " spec.names.plural+\".\"+spec.group",
            "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[tags].type:"
                + " Required value: must not be empty for specified object fields");
  }

  @Test
  void withItsDefinitionAKindGoes() {
    object(define(DEFINITION));
    object(create("{'size':1}"));

    assertThat(
            reply(
                api.delete(ResourceType.CUSTOM_RESOURCE_DEFINITION, "", "gadgets.example.com", -1)))
        .isInstanceOf(ApiReply.Deleted.class);
    assertThat(reply(api.get(GADGETS, "default", "g"))).isInstanceOf(ApiReply.Failed.class);

    object(define(DEFINITION));
    assertThat(reply(api.get(GADGETS, "default", "g"))).isInstanceOf(ApiReply.Failed.class);
  }

  @Test
  void columnsFollowTheirPaths() {
    KubeObject object =
        Objects.object(
            "{'status':{'conditions':[{'type':'A','status':'x'},{'type':'B','status':'y'}],'l':[1,2]}}");

    assertThat(CustomKinds.text(object.json(), ".status.conditions[?(@.type==\"B\")].status"))
        .isEqualTo("y");
    assertThat(CustomKinds.text(object.json(), ".status.l[1]")).isEqualTo("2");
    assertThat(CustomKinds.text(object.json(), ".status.l[*]")).isEqualTo("1,2");
    assertThat(CustomKinds.text(object.json(), ".status.none.at.all")).isEmpty();
  }
}
