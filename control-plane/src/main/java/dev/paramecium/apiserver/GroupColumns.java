package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The columns of networking, policy, storage, RBAC and of Cilium's policy kinds. */
final class GroupColumns {

  private GroupColumns() {}

  static final ServedKind.Column CREATED_AT =
      Columns.column("Created At", (object, _) -> CoreColumns.created(object));

  static final List<ServedKind.Column> NETWORK_POLICY =
      List.of(
          Columns.NAME,
          Columns.column(
              "Pod-Selector",
              (object, _) -> WorkloadColumns.selectorText(object.at("/spec/podSelector"))),
          Columns.AGE);

  static final List<ServedKind.Column> INGRESS =
      List.of(
          Columns.NAME,
          Columns.column(
              "Class",
              (object, _) ->
                  Columns.orElse(
                      object.text("/spec/ingressClassName"),
                      Columns.orElse(
                          object
                              .at("/metadata/annotations")
                              .path("kubernetes.io/ingress.class")
                              .asText(),
                          Columns.NONE))),
          Columns.column("Hosts", (object, _) -> hosts(object)),
          Columns.column("Address", (object, _) -> ingressAddress(object)),
          Columns.column(
              "Ports", (object, _) -> object.at("/spec/tls").isEmpty() ? "80" : "80, 443"),
          Columns.AGE);

  static final List<ServedKind.Column> INGRESS_CLASS =
      List.of(
          Columns.NAME,
          Columns.at("Controller", "/spec/controller"),
          Columns.column("Parameters", (object, _) -> parameters(object)),
          Columns.AGE);

  static final List<ServedKind.Column> POD_DISRUPTION_BUDGET =
      List.of(
          Columns.NAME,
          Columns.column("Min Available", (object, _) -> orNotGiven(object, "/spec/minAvailable")),
          Columns.column(
              "Max Unavailable", (object, _) -> orNotGiven(object, "/spec/maxUnavailable")),
          Columns.count("Allowed Disruptions", "/status/disruptionsAllowed"),
          Columns.AGE);

  static final List<ServedKind.Column> PERSISTENT_VOLUME =
      List.of(
          Columns.NAME,
          Columns.at("Capacity", "/spec/capacity/storage"),
          Columns.column(
              "Access Modes", (object, _) -> accessModes(object.at("/spec/accessModes"))),
          Columns.at("Reclaim Policy", "/spec/persistentVolumeReclaimPolicy"),
          Columns.column("Status", (object, _) -> phase(object)),
          Columns.column("Claim", (object, _) -> claim(object)),
          Columns.at("StorageClass", "/spec/storageClassName"),
          Columns.at("Reason", "/status/reason"),
          Columns.AGE,
          Columns.wide("VolumeMode", (object, _) -> volumeMode(object)));

  static final List<ServedKind.Column> PERSISTENT_VOLUME_CLAIM =
      List.of(
          Columns.NAME,
          Columns.column("Status", (object, _) -> phase(object)),
          Columns.at("Volume", "/spec/volumeName"),
          Columns.at("Capacity", "/status/capacity/storage"),
          Columns.column(
              "Access Modes", (object, _) -> accessModes(object.at("/status/accessModes"))),
          Columns.at("StorageClass", "/spec/storageClassName"),
          Columns.AGE,
          Columns.wide("VolumeMode", (object, _) -> volumeMode(object)));

  static final List<ServedKind.Column> STORAGE_CLASS =
      List.of(
          Columns.column("Name", (object, _) -> storageClassName(object)),
          Columns.at("Provisioner", "/provisioner"),
          Columns.column(
              "ReclaimPolicy",
              (object, _) -> Columns.orElse(object.text("/reclaimPolicy"), "Delete")),
          Columns.column(
              "VolumeBindingMode",
              (object, _) -> Columns.orElse(object.text("/volumeBindingMode"), "Immediate")),
          Columns.column(
              "AllowVolumeExpansion",
              (object, _) -> Boolean.toString(object.at("/allowVolumeExpansion").asBoolean())),
          Columns.AGE);

  static final List<ServedKind.Column> ROLE = List.of(Columns.NAME, CREATED_AT);

  static final List<ServedKind.Column> ROLE_BINDING =
      List.of(
          Columns.NAME,
          Columns.column(
              "Role",
              (object, _) -> object.text("/roleRef/kind") + "/" + object.text("/roleRef/name")),
          Columns.AGE,
          Columns.wide("Users", (object, _) -> subjects(object, "User")),
          Columns.wide("Groups", (object, _) -> subjects(object, "Group")),
          Columns.wide("ServiceAccounts", (object, _) -> subjects(object, "ServiceAccount")));

  static final List<ServedKind.Column> CILIUM_EXTERNAL_WORKLOAD =
      List.of(Columns.NAME, Columns.at("Cilium ID", "/status/id"), Columns.at("IP", "/status/ip"));

  private static String orNotGiven(KubeObject object, String pointer) {
    return Columns.orElse(object.text(pointer), "N/A");
  }

  private static String hosts(KubeObject ingress) {
    Set<String> hosts = new LinkedHashSet<>();
    for (JsonNode rule : ingress.at("/spec/rules")) {
      if (!rule.path("host").asText().isEmpty()) {
        hosts.add(rule.path("host").asText());
      }
    }
    return hosts.isEmpty() ? "*" : String.join(",", hosts);
  }

  private static String ingressAddress(KubeObject ingress) {
    List<String> addresses = new ArrayList<>();
    for (JsonNode point : ingress.at("/status/loadBalancer/ingress")) {
      addresses.add(Columns.orElse(point.path("ip").asText(), point.path("hostname").asText()));
    }
    return String.join(",", addresses);
  }

  private static String parameters(KubeObject ingressClass) {
    JsonNode parameters = ingressClass.at("/spec/parameters");
    if (parameters.isMissingNode()) {
      return Columns.NONE;
    }
    String group = parameters.path("apiGroup").asText();
    return parameters.path("kind").asText()
        + (group.isEmpty() ? "" : "." + group)
        + "/"
        + parameters.path("name").asText();
  }

  private static String phase(KubeObject object) {
    return object.text("/metadata/deletionTimestamp").isEmpty()
        ? object.text("/status/phase")
        : "Terminating";
  }

  private static String claim(KubeObject volume) {
    JsonNode claim = volume.at("/spec/claimRef");
    return claim.isMissingNode()
        ? ""
        : claim.path("namespace").asText() + "/" + claim.path("name").asText();
  }

  private static String volumeMode(KubeObject object) {
    return Columns.orElse(object.text("/spec/volumeMode"), "<unset>");
  }

  private static String accessModes(JsonNode modes) {
    List<String> given = CoreColumns.texts(modes);
    List<String> shown = new ArrayList<>();
    for (String[] mode :
        new String[][] {
          {"ReadWriteOnce", "RWO"},
          {"ReadOnlyMany", "ROX"},
          {"ReadWriteMany", "RWX"},
          {"ReadWriteOncePod", "RWOP"}
        }) {
      if (given.contains(mode[0])) {
        shown.add(mode[1]);
      }
    }
    return String.join(",", shown);
  }

  private static String storageClassName(KubeObject storageClass) {
    boolean isDefault =
        storageClass
            .at("/metadata/annotations")
            .path("storageclass.kubernetes.io/is-default-class")
            .asText()
            .equals("true");
    return isDefault ? storageClass.name() + " (default)" : storageClass.name();
  }

  private static String subjects(KubeObject binding, String kind) {
    List<String> names = new ArrayList<>();
    for (JsonNode subject : binding.at("/subjects")) {
      if (subject.path("kind").asText().equals(kind)) {
        String namespace = subject.path("namespace").asText();
        names.add(
            (kind.equals("ServiceAccount") && !namespace.isEmpty() ? namespace + "/" : "")
                + subject.path("name").asText());
      }
    }
    return String.join(", ", names);
  }
}
