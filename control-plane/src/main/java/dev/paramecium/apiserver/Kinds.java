package dev.paramecium.apiserver;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Every kind that this API server serves; a new built-in kind is one entry here. Custom kinds come
 * and go while it runs. For any thread to read, and one to define.
 */
public final class Kinds {

  private static final ServedKind.Rules IDENTITY_RULES =
      new ServedKind.Rules() {
        @Override
        public void validate(KubeObject object, Violations violations) {
          if (!object.name().matches("[0-9]+")) {
            violations.invalid(
                "metadata.name", object.name(), "a CiliumIdentity is named by its number");
          }
          if (object.at("/security-labels").isEmpty()) {
            violations.required("security-labels");
          }
        }

        @Override
        public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
          if (!old.at("/security-labels").equals(now.at("/security-labels"))) {
            violations.forbidden("security-labels", "an identity's labels never change");
          }
        }
      };

  private static final List<ServedKind> CORE =
      List.of(
          ServedKind.of(ResourceType.NAMESPACE)
              .withShortNames("ns")
              .withStatus()
              .withRules(new NamespaceRules())
              .withColumns(Columns.namespace()),
          ServedKind.of(ResourceType.NODE)
              .withShortNames("no")
              .withStatus()
              .withColumns(Columns.node()),
          ServedKind.of(ResourceType.POD)
              .withShortNames("po")
              .in("all")
              .withStatus()
              .withRules(new PodRules())
              .withColumns(Columns.pod()),
          ServedKind.of(ResourceType.SERVICE)
              .withShortNames("svc")
              .in("all")
              .withStatus()
              .withRules(new ServiceRules())
              .withColumns(CoreColumns.SERVICE),
          ServedKind.of(ResourceType.ENDPOINTS)
              .withShortNames("ep")
              .withColumns(CoreColumns.ENDPOINTS),
          ServedKind.of(ResourceType.CONFIG_MAP)
              .withShortNames("cm")
              .withRules(new DataRules())
              .withColumns(CoreColumns.CONFIG_MAP),
          ServedKind.of(ResourceType.SECRET)
              .withRules(new DataRules())
              .withColumns(CoreColumns.SECRET),
          ServedKind.of(ResourceType.SERVICE_ACCOUNT)
              .withShortNames("sa")
              .withColumns(CoreColumns.SERVICE_ACCOUNT),
          ServedKind.of(ResourceType.EVENT).withShortNames("ev").withColumns(CoreColumns.EVENT),
          ServedKind.of(ResourceType.RESOURCE_QUOTA)
              .withShortNames("quota")
              .withStatus()
              .withColumns(CoreColumns.RESOURCE_QUOTA),
          ServedKind.of(ResourceType.LIMIT_RANGE)
              .withShortNames("limits")
              .withColumns(CoreColumns.LIMIT_RANGE),
          ServedKind.of(ResourceType.PERSISTENT_VOLUME)
              .withShortNames("pv")
              .withStatus()
              .withColumns(GroupColumns.PERSISTENT_VOLUME),
          ServedKind.of(ResourceType.PERSISTENT_VOLUME_CLAIM)
              .withShortNames("pvc")
              .withStatus()
              .withColumns(GroupColumns.PERSISTENT_VOLUME_CLAIM));

  private static final List<ServedKind> WORKLOADS =
      List.of(
          ServedKind.of(ResourceType.DEPLOYMENT)
              .withShortNames("deploy")
              .in("all")
              .withStatus()
              .withScale(ServedKind.Scale.REPLICAS)
              .withRules(WorkloadRules.DEPLOYMENT)
              .withColumns(WorkloadColumns.DEPLOYMENT),
          ServedKind.of(ResourceType.REPLICA_SET)
              .withShortNames("rs")
              .in("all")
              .withStatus()
              .withScale(ServedKind.Scale.REPLICAS)
              .withRules(WorkloadRules.REPLICA_SET)
              .withColumns(WorkloadColumns.REPLICA_SET),
          ServedKind.of(ResourceType.DAEMON_SET)
              .withShortNames("ds")
              .in("all")
              .withStatus()
              .withRules(WorkloadRules.DAEMON_SET)
              .withColumns(WorkloadColumns.DAEMON_SET),
          ServedKind.of(ResourceType.STATEFUL_SET)
              .withShortNames("sts")
              .in("all")
              .withStatus()
              .withScale(ServedKind.Scale.REPLICAS)
              .withRules(WorkloadRules.STATEFUL_SET)
              .withColumns(WorkloadColumns.STATEFUL_SET),
          ServedKind.of(ResourceType.CONTROLLER_REVISION)
              .withColumns(WorkloadColumns.CONTROLLER_REVISION),
          ServedKind.of(ResourceType.JOB)
              .in("all")
              .withStatus()
              .withRules(new JobRules())
              .withColumns(WorkloadColumns.JOB),
          ServedKind.of(ResourceType.CRON_JOB)
              .withShortNames("cj")
              .in("all")
              .withStatus()
              .withRules(WorkloadRules.CRON_JOB)
              .withColumns(WorkloadColumns.CRON_JOB));

  private static final List<ServedKind> GROUPS =
      List.of(
          ServedKind.of(ResourceType.ENDPOINT_SLICE).withColumns(CoreColumns.ENDPOINT_SLICE),
          ServedKind.of(ResourceType.LEASE).withColumns(CoreColumns.LEASE),
          ServedKind.of(ResourceType.NETWORK_POLICY)
              .withShortNames("netpol")
              .withRules(new NetworkPolicyRules())
              .withColumns(GroupColumns.NETWORK_POLICY),
          ServedKind.of(ResourceType.INGRESS)
              .withShortNames("ing")
              .withStatus()
              .withColumns(GroupColumns.INGRESS),
          ServedKind.of(ResourceType.INGRESS_CLASS).withColumns(GroupColumns.INGRESS_CLASS),
          ServedKind.of(ResourceType.POD_DISRUPTION_BUDGET)
              .withShortNames("pdb")
              .withStatus()
              .withColumns(GroupColumns.POD_DISRUPTION_BUDGET),
          ServedKind.of(ResourceType.PRIORITY_CLASS)
              .withShortNames("pc")
              .withColumns(CoreColumns.PRIORITY_CLASS),
          ServedKind.of(ResourceType.STORAGE_CLASS)
              .withShortNames("sc")
              .withColumns(GroupColumns.STORAGE_CLASS),
          ServedKind.of(ResourceType.ROLE)
              .withRules(new RbacRules())
              .withColumns(GroupColumns.ROLE),
          ServedKind.of(ResourceType.ROLE_BINDING)
              .withRules(new RbacRules())
              .withColumns(GroupColumns.ROLE_BINDING),
          ServedKind.of(ResourceType.CLUSTER_ROLE)
              .withRules(new RbacRules())
              .withColumns(GroupColumns.ROLE),
          ServedKind.of(ResourceType.CLUSTER_ROLE_BINDING)
              .withRules(new RbacRules())
              .withColumns(GroupColumns.ROLE_BINDING),
          ServedKind.of(ResourceType.CUSTOM_RESOURCE_DEFINITION)
              .withShortNames("crd", "crds")
              .in("api-extensions")
              .withStatus()
              .withRules(new DefinitionRules())
              .withColumns(Columns.NAME, GroupColumns.CREATED_AT));

  /** As the operator of Cilium 1.12 registers them. */
  private static final List<ServedKind> CILIUM =
      List.of(
          ServedKind.of(ResourceType.CILIUM_IDENTITY)
              .withShortNames("ciliumid")
              .in("cilium")
              .withRules(IDENTITY_RULES)
              .withColumns(Columns.ciliumIdentity()),
          ServedKind.of(ResourceType.CILIUM_ENDPOINT)
              .withShortNames("cep", "ciliumep")
              .in("cilium")
              .withStatus()
              .withColumns(Columns.ciliumEndpoint()),
          ServedKind.of(ResourceType.CILIUM_NODE)
              .withShortNames("cn", "ciliumn")
              .in("cilium")
              .withStatus()
              .withColumns(Columns.ciliumNode()),
          CiliumPolicyRules.serve(ResourceType.CILIUM_NETWORK_POLICY)
              .withShortNames("cnp", "ciliumnp"),
          CiliumPolicyRules.serve(ResourceType.CILIUM_CLUSTERWIDE_NETWORK_POLICY)
              .withShortNames("ccnp"),
          ServedKind.of(ResourceType.CILIUM_EXTERNAL_WORKLOAD)
              .withShortNames("cew")
              .in("cilium")
              .withStatus()
              .withColumns(GroupColumns.CILIUM_EXTERNAL_WORKLOAD),
          ServedKind.of(ResourceType.CILIUM_EGRESS_GATEWAY_POLICY)
              .withShortNames("cegp")
              .in("cilium", "ciliumpolicy"),
          LocalRedirectRules.serve());

  private final Map<String, ServedKind> builtIn = new LinkedHashMap<>();
  private volatile Map<String, ServedKind> byPath = builtIn;
  private final AtomicLong generation = new AtomicLong();

  private Kinds() {}

  /**
   * Serves the kinds of these CustomResourceDefinitions, and no other custom kinds. A built-in kind
   * is not redefined.
   */
  public void define(Iterable<KubeObject> definitions) {
    Map<String, ServedKind> all = new LinkedHashMap<>(builtIn);
    for (KubeObject definition : definitions) {
      for (ServedKind kind : CustomKinds.of(definition)) {
        all.putIfAbsent(
            path(kind.type().group(), kind.type().version(), kind.type().plural()), kind);
      }
    }
    byPath = all;
    generation.incrementAndGet();
  }

  /** Counts how often {@link #define} changed what is served. */
  public long generation() {
    return generation.get();
  }

  /** The kinds of this release. */
  public static Kinds standard() {
    Kinds kinds = new Kinds();
    CORE.forEach(kinds::add);
    WORKLOADS.forEach(kinds::add);
    GROUPS.forEach(kinds::add);
    CILIUM.forEach(kinds::add);
    ChaosKinds.all().forEach(kinds::add);
    return kinds;
  }

  private void add(ServedKind kind) {
    builtIn.put(path(kind.type().group(), kind.type().version(), kind.type().plural()), kind);
  }

  private static String path(String group, String version, String plural) {
    return group + "/" + version + "/" + plural;
  }

  public Optional<ServedKind> find(String group, String version, String plural) {
    return Optional.ofNullable(byPath.get(path(group, version, plural)));
  }

  /** An object as another version of its kind shows it ({@code conversion.strategy: None}). */
  static KubeObject inVersion(ResourceType type, KubeObject object) {
    if (object.apiVersion().equals(type.apiVersion())) {
      return object;
    }
    KubeObject other = object.copy();
    other.json().put("apiVersion", type.apiVersion());
    return other;
  }

  /** The kind of what the store keeps under a key, {@code GROUP/PLURAL/…}. */
  Optional<ServedKind> ofKey(String key) {
    int slash = key.indexOf('/');
    String group = key.substring(0, slash);
    String plural = key.substring(slash + 1, key.indexOf('/', slash + 1));
    for (ServedKind kind : byPath.values()) {
      if (kind.type().group().equals(group) && kind.type().plural().equals(plural)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }

  /** The kind that an owner reference names. */
  Optional<ServedKind> named(String apiVersion, String kindName) {
    int slash = apiVersion.indexOf('/');
    String group = slash < 0 ? "" : apiVersion.substring(0, slash);
    for (ServedKind kind : byPath.values()) {
      if (kind.type().group().equals(group) && kind.type().kind().equals(kindName)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }

  ServedKind of(ResourceType type) throws StatusException {
    ServedKind kind = byPath.get(path(type.group(), type.version(), type.plural()));
    if (kind == null) {
      throw StatusException.notFound(type.plural(), type.apiVersion());
    }
    return kind;
  }

  public Iterable<ServedKind> all() {
    return byPath.values();
  }
}
