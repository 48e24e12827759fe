package dev.paramecium.apiserver.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.apiserver.Kinds;
import dev.paramecium.apiserver.ServedKind;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The built-in kinds' fields, and what is made of them. */
class BuiltInTypesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static TypeCheck check(String json) throws Exception {
    return TypeCheck.of(
        BuiltInTypes.of("", "Pod").orElseThrow(), JSON.readTree(json.replace('\'', '"')));
  }

  @Test
  void whatIsUnknownOrWrongIsNamedByItsPath() throws Exception {
    TypeCheck check =
        check(
            "{'apiVersion':'v1','kind':'Pod','spec':{'imgae':1,'containers':[{'name':'a','livenessProbe':{'httpGet':{'port':'http'},'tcp':{}},'ports':[{'containerPort':'80'}]}]}}");

    assertThat(check.unknown())
        .containsExactly("spec.imgae", "spec.containers[0].livenessProbe.tcp");
    assertThat(check.wrong())
        .containsExactly(
            "string into Go struct field ContainerPort.spec.containers.ports.containerPort of type"
                + " int32");
  }

  @Test
  void noNumberOfAStructIsGivenTwice() {
    assertThat(BuiltInTypes.all()).hasSizeGreaterThan(300);
    for (Type.Struct struct : BuiltInTypes.all()) {
      Set<Integer> numbers = new HashSet<>();
      for (Type.Field field : struct.fields().values()) {
        if (struct.numbered(field.number()) == field) {
          assertThat(numbers.add(field.number())).as(struct + "." + field.name()).isTrue();
        }
      }
    }
  }

  @Test
  void kindsAndTheirFieldsAreDescribed() {
    OpenApi documents = new OpenApi(Kinds.standard().all());
    JsonNode two = documents.version2().at("/definitions/io.k8s.api.core.v1.Pod");
    assertThat(two.path("description").asText()).startsWith("Containers that run together");
    assertThat(two.at("/properties/spec/$ref").asText()).endsWith("PodSpec");
    assertThat(two.at("/properties/spec/description").asText()).startsWith("What should run");

    JsonNode three =
        documents
            .version3("api/v1")
            .orElseThrow()
            .at("/components/schemas/io.k8s.api.core.v1.Pod/properties/spec");
    assertThat(three.at("/allOf/0/$ref").asText()).endsWith("PodSpec");
    assertThat(three.path("description")).isEqualTo(two.at("/properties/spec/description"));

    for (String kind : List.of("Pod", "Service", "ConfigMap", "Secret", "Node", "Namespace")) {
      assertThat(BuiltInTypes.of("", kind).orElseThrow().description()).as(kind).isNotEmpty();
    }
  }

  @Test
  void everyReferenceOfADocumentLeadsToASchemaInIt() {
    OpenApi documents = new OpenApi(Kinds.standard().all());
    JsonNode all = documents.version2();
    int references = follow(all, all);
    assertThat(references).isGreaterThan(300);
    documents
        .index()
        .path("paths")
        .fieldNames()
        .forEachRemaining(
            path -> {
              JsonNode document = documents.version3(path).orElseThrow();
              assertThat(follow(document, document)).as(path).isPositive();
            });
    for (ServedKind kind : Kinds.standard().all()) {
      assertThat(all.path("definitions").path(kind.schema().name()).path("properties").has("kind"))
          .as(kind.type().kind())
          .isTrue();
    }
  }

  private static int follow(JsonNode node, JsonNode document) {
    int found = 0;
    if (node.path("$ref").isTextual()) {
      String pointer = node.path("$ref").asText().substring(1);
      assertThat(document.at(pointer).isObject()).as(pointer).isTrue();
      found++;
    }
    for (JsonNode child : node) {
      found += follow(child, document);
    }
    return found;
  }
}
