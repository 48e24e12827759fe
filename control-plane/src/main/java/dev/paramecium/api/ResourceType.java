package dev.paramecium.api;

/**
 * A kind of object and where REST serves it.
 *
 * @param group the API group, empty for core
 * @param plural the name in paths, as {@code pods}
 */
public record ResourceType(
    String group, String version, String plural, String kind, boolean namespaced) {

  public static final ResourceType NAMESPACE =
      new ResourceType("", "v1", "namespaces", "Namespace", false);
  public static final ResourceType NODE = new ResourceType("", "v1", "nodes", "Node", false);
  public static final ResourceType POD = new ResourceType("", "v1", "pods", "Pod", true);
  public static final ResourceType CILIUM_IDENTITY =
      new ResourceType("cilium.io", "v2", "ciliumidentities", "CiliumIdentity", false);
  public static final ResourceType CILIUM_ENDPOINT =
      new ResourceType("cilium.io", "v2", "ciliumendpoints", "CiliumEndpoint", true);
  public static final ResourceType CILIUM_NODE =
      new ResourceType("cilium.io", "v2", "ciliumnodes", "CiliumNode", false);
  public static final ResourceType SERVICE =
      new ResourceType("", "v1", "services", "Service", true);
  public static final ResourceType ENDPOINTS =
      new ResourceType("", "v1", "endpoints", "Endpoints", true);
  public static final ResourceType CONFIG_MAP =
      new ResourceType("", "v1", "configmaps", "ConfigMap", true);
  public static final ResourceType SECRET = new ResourceType("", "v1", "secrets", "Secret", true);
  public static final ResourceType SERVICE_ACCOUNT =
      new ResourceType("", "v1", "serviceaccounts", "ServiceAccount", true);
  public static final ResourceType EVENT = new ResourceType("", "v1", "events", "Event", true);
  public static final ResourceType RESOURCE_QUOTA =
      new ResourceType("", "v1", "resourcequotas", "ResourceQuota", true);
  public static final ResourceType LIMIT_RANGE =
      new ResourceType("", "v1", "limitranges", "LimitRange", true);
  public static final ResourceType PERSISTENT_VOLUME =
      new ResourceType("", "v1", "persistentvolumes", "PersistentVolume", false);
  public static final ResourceType PERSISTENT_VOLUME_CLAIM =
      new ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true);
  public static final ResourceType ENDPOINT_SLICE =
      new ResourceType("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", true);
  public static final ResourceType LEASE =
      new ResourceType("coordination.k8s.io", "v1", "leases", "Lease", true);
  public static final ResourceType DEPLOYMENT =
      new ResourceType("apps", "v1", "deployments", "Deployment", true);
  public static final ResourceType REPLICA_SET =
      new ResourceType("apps", "v1", "replicasets", "ReplicaSet", true);
  public static final ResourceType DAEMON_SET =
      new ResourceType("apps", "v1", "daemonsets", "DaemonSet", true);
  public static final ResourceType STATEFUL_SET =
      new ResourceType("apps", "v1", "statefulsets", "StatefulSet", true);
  public static final ResourceType CONTROLLER_REVISION =
      new ResourceType("apps", "v1", "controllerrevisions", "ControllerRevision", true);
  public static final ResourceType JOB = new ResourceType("batch", "v1", "jobs", "Job", true);
  public static final ResourceType CRON_JOB =
      new ResourceType("batch", "v1", "cronjobs", "CronJob", true);
  public static final ResourceType POD_DISRUPTION_BUDGET =
      new ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true);
  public static final ResourceType PRIORITY_CLASS =
      new ResourceType("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", false);
  public static final ResourceType STORAGE_CLASS =
      new ResourceType("storage.k8s.io", "v1", "storageclasses", "StorageClass", false);
  public static final ResourceType ROLE =
      new ResourceType("rbac.authorization.k8s.io", "v1", "roles", "Role", true);
  public static final ResourceType ROLE_BINDING =
      new ResourceType("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true);
  public static final ResourceType CLUSTER_ROLE =
      new ResourceType("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);
  public static final ResourceType CLUSTER_ROLE_BINDING =
      new ResourceType(
          "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false);
  public static final ResourceType NETWORK_POLICY =
      new ResourceType("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", true);
  public static final ResourceType INGRESS =
      new ResourceType("networking.k8s.io", "v1", "ingresses", "Ingress", true);
  public static final ResourceType INGRESS_CLASS =
      new ResourceType("networking.k8s.io", "v1", "ingressclasses", "IngressClass", false);
  public static final ResourceType CUSTOM_RESOURCE_DEFINITION =
      new ResourceType(
          "apiextensions.k8s.io",
          "v1",
          "customresourcedefinitions",
          "CustomResourceDefinition",
          false);
  public static final ResourceType CILIUM_NETWORK_POLICY =
      new ResourceType("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", true);
  public static final ResourceType CILIUM_CLUSTERWIDE_NETWORK_POLICY =
      new ResourceType(
          "cilium.io",
          "v2",
          "ciliumclusterwidenetworkpolicies",
          "CiliumClusterwideNetworkPolicy",
          false);
  public static final ResourceType CILIUM_EXTERNAL_WORKLOAD =
      new ResourceType(
          "cilium.io", "v2", "ciliumexternalworkloads", "CiliumExternalWorkload", false);
  public static final ResourceType CILIUM_EGRESS_GATEWAY_POLICY =
      new ResourceType(
          "cilium.io", "v2", "ciliumegressgatewaypolicies", "CiliumEgressGatewayPolicy", false);
  public static final ResourceType CILIUM_LOCAL_REDIRECT_POLICY =
      new ResourceType(
          "cilium.io", "v2", "ciliumlocalredirectpolicies", "CiliumLocalRedirectPolicy", true);

  public static final ResourceType NETWORK_CHAOS =
      new ResourceType("chaos-mesh.org", "v1alpha1", "networkchaos", "NetworkChaos", true);
  public static final ResourceType POD_NETWORK_CHAOS =
      new ResourceType("chaos-mesh.org", "v1alpha1", "podnetworkchaos", "PodNetworkChaos", true);
  public static final ResourceType POD_CHAOS =
      new ResourceType("chaos-mesh.org", "v1alpha1", "podchaos", "PodChaos", true);
  public static final ResourceType SCHEDULE =
      new ResourceType("chaos-mesh.org", "v1alpha1", "schedules", "Schedule", true);
  public static final ResourceType PARTITION_CHAOS =
      new ResourceType("paramecium.dev", "v1alpha1", "partitionchaos", "PartitionChaos", false);
  public static final ResourceType NODE_CHAOS =
      new ResourceType("paramecium.dev", "v1alpha1", "nodechaos", "NodeChaos", false);
  public static final ResourceType MAP_CHAOS =
      new ResourceType("paramecium.dev", "v1alpha1", "mapchaos", "MapChaos", false);
  public static final ResourceType CONTROL_PLANE_CHAOS =
      new ResourceType(
          "paramecium.dev", "v1alpha1", "controlplanechaos", "ControlPlaneChaos", false);
  public static final ResourceType NODE_NETWORK_CHAOS =
      new ResourceType("paramecium.dev", "v1alpha1", "nodenetworkchaos", "NodeNetworkChaos", false);

  /** {@code v1} or {@code cilium.io/v2}. */
  public String apiVersion() {
    return group.isEmpty() ? version : group + "/" + version;
  }
}
