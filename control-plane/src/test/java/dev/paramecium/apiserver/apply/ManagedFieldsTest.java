package dev.paramecium.apiserver.apply;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.apply.ManagedFields.Applied;
import dev.paramecium.apiserver.apply.ManagedFields.Manager;
import dev.paramecium.apiserver.schema.BuiltInTypes;
import dev.paramecium.apiserver.schema.Type;
import org.junit.jupiter.api.Test;

/** Who manages what, and who is in whose way. */
class ManagedFieldsTest {

  private static final Type.Struct SERVICE = BuiltInTypes.of("", "Service").orElseThrow();
  private static final Manager A = new Manager("a", "", "2026-01-01T00:00:00Z");
  private static final Manager B = new Manager("b", "", "2026-01-01T00:00:01Z");

  private static ObjectNode service(String spec) throws Exception {
    return (ObjectNode)
        new ObjectMapper()
            .readTree(
                ("{'apiVersion':'v1','kind':'Service','metadata':{'name':'s'},'spec':" + spec + "}")
                    .replace('\'', '"'));
  }

  private static ObjectNode applied(ObjectNode live, String spec, Manager manager)
      throws Exception {
    Applied applied = ManagedFields.apply(SERVICE, live, service(spec), manager, false);
    assertThat(applied.conflicts()).isEmpty();
    return applied.object();
  }

  @Test
  void twoManagersShareAListByItsKeys() throws Exception {
    ObjectNode live = applied(null, "{'ports':[{'port':80,'targetPort':8080}]}", A);
    live = applied(live, "{'ports':[{'port':443,'protocol':'TCP'}]}", B);

    assertThat(live.at("/spec/ports").toString())
        .isEqualTo("[{\"port\":80,\"targetPort\":8080},{\"port\":443,\"protocol\":\"TCP\"}]");
    assertThat(live.at("/metadata/managedFields/0/fieldsV1").toString())
        .isEqualTo(
            "{\"f:spec\":{\"f:ports\":{\"k:{\\\"port\\\":443,\\\"protocol\\\":\\\"TCP\\\"}\":{\"f:port\":{},\"f:protocol\":{},\".\":{}}}}}");
  }

  @Test
  void whatAConfigurationNoLongerNamesGoesUnlessAnotherNamesIt() throws Exception {
    ObjectNode live =
        applied(null, "{'type':'NodePort','ports':[{'port':80},{'port':81,'name':'x'}]}", A);
    live = applied(live, "{'type':'NodePort'}", B);
    live = applied(live, "{'ports':[{'port':80}]}", A);

    assertThat(live.at("/spec").toString())
        .isEqualTo("{\"type\":\"NodePort\",\"ports\":[{\"port\":80}]}");
  }

  @Test
  void aFieldThatAnotherHasSetOtherwiseIsAConflictUnlessForced() throws Exception {
    ObjectNode live = applied(null, "{'type':'NodePort','sessionAffinity':'None'}", A);
    ObjectNode wanted = service("{'type':'ClusterIP'}");

    Applied refused = ManagedFields.apply(SERVICE, live, wanted, B, false);
    assertThat(ManagedFields.message(refused.conflicts()))
        .isEqualTo("Apply failed with 1 conflict: conflict with \"a\": .spec.type");

    Applied forced = ManagedFields.apply(SERVICE, live, wanted, B, true);
    assertThat(forced.object().at("/spec/type").asText()).isEqualTo("ClusterIP");
    assertThat(forced.object().at("/metadata/managedFields/1/fieldsV1").toString())
        .isEqualTo("{\"f:spec\":{\"f:sessionAffinity\":{}}}");
  }

  @Test
  void anUpdateTakesTheFieldsThatItChanges() throws Exception {
    ObjectNode live = applied(null, "{'type':'NodePort','selector':{'app':'x'}}", A);
    ObjectNode next = live.deepCopy();
    next.withObject("/spec").put("type", "ClusterIP").putArray("externalIPs").add("1.2.3.4");
    ManagedFields.update(SERVICE, live, next, B);

    assertThat(next.at("/metadata/managedFields/0/fieldsV1").toString())
        .isEqualTo("{\"f:spec\":{\"f:selector\":{}}}");
    assertThat(next.at("/metadata/managedFields/1/operation").asText()).isEqualTo("Update");
    assertThat(next.at("/metadata/managedFields/1/fieldsV1").toString())
        .isEqualTo("{\"f:spec\":{\"f:type\":{},\"f:externalIPs\":{}}}");
  }
}
