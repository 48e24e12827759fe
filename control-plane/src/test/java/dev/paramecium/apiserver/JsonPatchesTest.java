package dev.paramecium.apiserver;

import static dev.paramecium.apiserver.Objects.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.schema.BuiltInTypes;
import dev.paramecium.apiserver.schema.Type;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonPatchesTest {

  private static final Type POD = BuiltInTypes.of("", "Pod").orElseThrow();

  private static ObjectNode patch(String type, String target, String patch) throws StatusException {
    return JsonPatches.apply(type, POD, json(target), patch.replace('\'', '"'));
  }

  /** The examples of RFC 7386, appendix A, whose result is an object. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'a':'b'} | {'a':'c'} | {'a':'c'}",
        "{'a':'b'} | {'b':'c'} | {'a':'b','b':'c'}",
        "{'a':'b'} | {'a':null} | {}",
        "{'a':'b','b':'c'} | {'a':null} | {'b':'c'}",
        "{'a':['b']} | {'a':'c'} | {'a':'c'}",
        "{'a':'c'} | {'a':['b']} | {'a':['b']}",
        "{'a':{'b':'c'}} | {'a':{'b':'d','c':null}} | {'a':{'b':'d'}}",
        "{'a':[{'b':'c'}]} | {'a':[1]} | {'a':[1]}",
        "{'e':null} | {'a':1} | {'e':null,'a':1}",
        "{} | {'a':{'bb':{'ccc':null}}} | {'a':{'bb':{}}}"
      })
  void mergesAsTheRfcSays(String target, String patch, String expected) throws StatusException {
    assertThat(patch("application/merge-patch+json", target, patch)).isEqualTo(json(expected));
  }

  /** RFC 6902, appendix A, by section. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'foo':'bar'} | [{'op':'add','path':'/baz','value':'qux'}] | {'foo':'bar','baz':'qux'}",
        "{'foo':['bar','baz']} | [{'op':'add','path':'/foo/1','value':'qux'}] |"
            + " {'foo':['bar','qux','baz']}",
        "{'baz':'qux','foo':'bar'} | [{'op':'remove','path':'/baz'}] | {'foo':'bar'}",
        "{'foo':['bar','qux','baz']} | [{'op':'remove','path':'/foo/1'}] | {'foo':['bar','baz']}",
        "{'baz':'qux'} | [{'op':'replace','path':'/baz','value':'boo'}] | {'baz':'boo'}",
        "{'foo':{'bar':'baz','waldo':'fred'},'qux':{'corge':'grault'}} |"
            + " [{'op':'move','from':'/foo/waldo','path':'/qux/thud'}] |"
            + " {'foo':{'bar':'baz'},'qux':{'corge':'grault','thud':'fred'}}",
        "{'foo':['all','grass','cows','eat']} | [{'op':'move','from':'/foo/1','path':'/foo/3'}] |"
            + " {'foo':['all','cows','eat','grass']}",
        "{'/':9,'~1':10} | [{'op':'test','path':'/~01','value':10}] | {'/':9,'~1':10}",
        "{'foo':['bar']} | [{'op':'add','path':'/foo/-','value':['abc','def']}] |"
            + " {'foo':['bar',['abc','def']]}"
      })
  void patchesAsTheRfcSays(String target, String patch, String expected) throws StatusException {
    assertThat(patch("application/json-patch+json", target, patch.replace("!", "~")))
        .isEqualTo(json(expected));
  }

  @Test
  void refusesWhatDoesNotApply() {
    for (String patch :
        new String[] {
          "[{'op':'add','path':'/baz/bat','value':'qux'}]",
          "[{'op':'test','path':'/foo','value':'other'}]",
          "[{'op':'remove','path':'/nothing'}]",
          "[{'op':'jump','path':'/foo'}]",
          "[{'op':'add','path':'foo','value':1}]",
          "[{'op':'add','path':'','value':1}]",
          "[{'op':'remove','path':''}]",
          "[7]",
          "{}",
          "["
        }) {
      assertThatThrownBy(() -> patch("application/json-patch+json", "{'foo':'bar'}", patch))
          .as(patch)
          .isInstanceOf(StatusException.class);
    }
  }

  @Test
  void refusesWhatIsNestedDeeperThanAnyObject() {
    for (int depth : new int[] {101, 900, 20_000}) {
      String deep = "{'a':".repeat(depth) + "1" + "}".repeat(depth);
      assertThatThrownBy(() -> patch("application/merge-patch+json", "{}", deep))
          .isInstanceOf(StatusException.class)
          .hasMessageContaining("nest");
      String path = "[{'op':'add','path':'" + "/a".repeat(depth) + "','value':1}]";
      assertThatThrownBy(() -> patch("application/json-patch+json", "{}", path))
          .isInstanceOf(StatusException.class)
          .hasMessageContaining("levels");
    }
  }

  @Test
  void refusesCopiesOfCopiesBeforeTheyFillTheMemory() {
    StringBuilder doubling = new StringBuilder("[{'op':'add','path':'/a','value':'0123456789'}");
    for (int i = 0; i < 60; i++) {
      doubling.append(",{'op':'copy','from':'','path':'/b").append(i).append("'}");
    }
    assertThatThrownBy(() -> patch("application/json-patch+json", "{}", doubling + "]"))
        .isInstanceOf(StatusException.class)
        .hasMessageContaining("copies");
  }

  @Test
  void mergesContainersByNameAndDeletesOnRequest() throws StatusException {
    String pod = "{'spec':{'containers':[{'name':'a','image':'1'},{'name':'b','image':'1'}]}}";
    assertThat(
            patch(
                "application/strategic-merge-patch+json",
                pod,
                "{'spec':{'$setElementOrder/containers':[{'name':'a'},{'name':'c'}],'containers':[{'name':'b','$patch':'delete'},{'name':'c','image':'2'},{'name':'a','image':'3'}]}}"))
        .isEqualTo(
            json("{'spec':{'containers':[{'name':'a','image':'3'},{'name':'c','image':'2'}]}}"));
  }

  @Test
  void everyListMergesByTheKeyOfItsOwnType() throws StatusException {
    // A container's ports go by containerPort; tolerations have no key and are replaced.
    assertThat(
            patch(
                "application/strategic-merge-patch+json",
                "{'spec':{'tolerations':[{'key':'a'}],'containers':[{'name':'a','ports':[{'containerPort':80,'name':'x'}]}]}}",
                "{'spec':{'tolerations':[{'key':'b'}],'containers':[{'name':'a','ports':[{'containerPort':80,'protocol':'UDP'},{'containerPort':81}]}]}}"))
        .isEqualTo(
            json(
                "{'spec':{'tolerations':[{'key':'b'}],'containers':[{'name':'a','ports':[{'containerPort':80,'name':'x','protocol':'UDP'},{'containerPort':81}]}]}}"));
    assertThatThrownBy(
            () ->
                patch(
                    "application/strategic-merge-patch+json",
                    "{}",
                    "{'spec':{'containers':[{'image':'x'}]}}"))
        .hasMessageContaining("merge key: name");
  }

  @Test
  void aVolumeThatChangesItsSourceKeepsOnlyTheNewOne() throws StatusException {
    assertThat(
            patch(
                "application/strategic-merge-patch+json",
                "{'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}",
                "{'spec':{'volumes':[{'$retainKeys':['name','hostPath'],'name':'v','hostPath':{'path':'/x'}}]}}"))
        .isEqualTo(json("{'spec':{'volumes':[{'name':'v','hostPath':{'path':'/x'}}]}}"));
  }

  @Property(tries = 300)
  void aMergeOfTheDifferenceMakesTheOther(
      @ForAll("objects") ObjectNode from, @ForAll("objects") ObjectNode to) throws StatusException {
    assertThat(
            JsonPatches.apply(
                "application/merge-patch+json", POD, from, difference(from, to).toString()))
        .isEqualTo(to);
  }

  private static ObjectNode difference(ObjectNode from, ObjectNode to) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    from.fieldNames()
        .forEachRemaining(
            name -> {
              if (!to.has(name)) {
                patch.putNull(name);
              }
            });
    to.properties()
        .forEach(
            entry -> {
              JsonNode old = from.get(entry.getKey());
              if (old instanceof ObjectNode was && entry.getValue() instanceof ObjectNode is) {
                patch.set(entry.getKey(), difference(was, is));
              } else if (!entry.getValue().equals(old)) {
                patch.set(entry.getKey(), entry.getValue());
              }
            });
    return patch;
  }

  @Provide
  Arbitrary<ObjectNode> objects() {
    Arbitrary<JsonNode> leaves =
        Arbitraries.integers().between(0, 3).map(JsonNodeFactory.instance::numberNode);
    Arbitrary<JsonNode> values =
        Arbitraries.recursive(() -> leaves, inner -> object(inner).map(JsonNode.class::cast), 0, 3);
    return object(values);
  }

  private static Arbitrary<ObjectNode> object(Arbitrary<JsonNode> values) {
    return Arbitraries.maps(Arbitraries.of("a", "b", "c"), values)
        .ofMaxSize(3)
        .map(
            fields -> {
              ObjectNode object = JsonNodeFactory.instance.objectNode();
              fields.forEach(object::set);
              return object;
            });
  }
}
