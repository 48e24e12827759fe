package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.ResourceType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shape of the built-in kinds: which fields there are and what JSON each holds, so that what
 * cannot be an object of its kind is refused before anything reads it.
 *
 * <p>A struct is one line of {@link #STRUCTS}. A type is {@code string}, {@code int}, {@code bool},
 * {@code map} (of strings), {@code object} (any JSON object), {@code any}, a struct's name, or one
 * of these behind {@code []}. Fields below {@code object} and {@code any} are not checked.
 */
public final class Schema {

  private static final Map<String, Map<String, String>> STRUCTS =
      structs(
          """
          Pod: apiVersion,kind string; metadata ObjectMeta; spec PodSpec; status object
          Node: apiVersion,kind string; metadata ObjectMeta; spec NodeSpec; status object
          Namespace: apiVersion,kind string; metadata ObjectMeta; spec NamespaceSpec; status object
          CiliumIdentity: apiVersion,kind string; metadata ObjectMeta; security-labels map
          CiliumEndpoint: apiVersion,kind string; metadata ObjectMeta; status object
          CiliumNode: apiVersion,kind string; metadata ObjectMeta; spec,status object
          ObjectMeta: name,generateName,namespace,selfLink,uid,resourceVersion,creationTimestamp,deletionTimestamp string; \
            generation,deletionGracePeriodSeconds int; labels,annotations map; ownerReferences,managedFields []object; finalizers []string
          NamespaceSpec: finalizers []string
          NodeSpec: podCIDR,providerID,externalID string; podCIDRs []string; unschedulable bool; taints []object; configSource object
          PodSpec: volumes,imagePullSecrets,tolerations,hostAliases,readinessGates,topologySpreadConstraints,schedulingGates,resourceClaims []object; \
            containers,initContainers,ephemeralContainers []Container; \
            restartPolicy,dnsPolicy,serviceAccountName,serviceAccount,nodeName,hostname,subdomain,schedulerName,priorityClassName,runtimeClassName,preemptionPolicy string; \
            terminationGracePeriodSeconds,activeDeadlineSeconds,priority int; nodeSelector map; \
            automountServiceAccountToken,hostNetwork,hostPID,hostIPC,hostUsers,shareProcessNamespace,enableServiceLinks,setHostnameAsFQDN bool; \
            securityContext,affinity,dnsConfig,overhead,os,resources object
          Container: name,image,workingDir,restartPolicy,terminationMessagePath,terminationMessagePolicy,imagePullPolicy,targetContainerName string; \
            command,args []string; ports []ContainerPort; env []EnvVar; envFrom,resizePolicy,volumeMounts,volumeDevices []object; \
            resources,livenessProbe,readinessProbe,startupProbe,lifecycle,securityContext object; stdin,stdinOnce,tty bool
          ContainerPort: name,protocol,hostIP string; hostPort,containerPort int
          EnvVar: name,value string; valueFrom object
          """);

  private Schema() {}

  private static Map<String, Map<String, String>> structs(String text) {
    Map<String, Map<String, String>> structs = new LinkedHashMap<>();
    for (String line : text.lines().toList()) {
      int colon = line.indexOf(':');
      Map<String, String> fields = new LinkedHashMap<>();
      for (String group : line.substring(colon + 1).strip().split(";\\s*", -1)) {
        String[] namesAndType = group.strip().split("\\s+", -1);
        for (String name : namesAndType[0].split(",", -1)) {
          fields.put(name, namesAndType[1]);
        }
      }
      structs.put(line.substring(0, colon), fields);
    }
    return structs;
  }

  /**
   * Refuses JSON that is not of the kind's shape, in the words of Go's decoder.
   *
   * @throws StatusException 400 naming the field, what it holds and what it must hold
   */
  static void check(ResourceType type, JsonNode object) throws StatusException {
    List<String> wrong = new ArrayList<>();
    walk(type.kind(), type.kind(), "", object, wrong, new ArrayList<>());
    if (!wrong.isEmpty()) {
      throw StatusException.badRequest(
          "%s in version \"%s\" cannot be handled as a %s: json: cannot unmarshal %s"
              .formatted(type.kind(), type.version(), type.kind(), wrong.getFirst()));
    }
  }

  /** The paths of fields that the kind does not have, as {@code spec.containers[0].imgae}. */
  public static List<String> unknownFields(ResourceType type, JsonNode object) {
    List<String> unknown = new ArrayList<>();
    walk(type.kind(), type.kind(), "", object, new ArrayList<>(), unknown);
    return unknown;
  }

  private static void walk(
      String struct,
      String type,
      String path,
      JsonNode value,
      List<String> wrong,
      List<String> unknown) {
    if (value.isNull() || value.isMissingNode()) {
      return;
    }
    if (type.startsWith("[]")) {
      if (!value.isArray()) {
        wrong.add(mismatch(struct, type, path, value));
        return;
      }
      for (int i = 0; i < value.size(); i++) {
        walk(struct, type.substring(2), path + "[" + i + "]", value.get(i), wrong, unknown);
      }
      return;
    }
    Map<String, String> fields = STRUCTS.get(type);
    boolean fits =
        switch (type) {
          case "any" -> true;
          case "string" -> value.isTextual();
          case "int" -> value.isIntegralNumber() && value.canConvertToLong();
          case "bool" -> value.isBoolean();
          default -> value.isObject();
        };
    if (!fits) {
      wrong.add(mismatch(struct, type, path, value));
    } else if (type.equals("map")) {
      value
          .properties()
          .forEach(
              entry ->
                  walk(
                      struct,
                      "string",
                      path + "." + entry.getKey(),
                      entry.getValue(),
                      wrong,
                      unknown));
    } else if (fields != null) {
      value
          .properties()
          .forEach(
              entry -> {
                String at = path.isEmpty() ? entry.getKey() : path + "." + entry.getKey();
                String fieldType = fields.get(entry.getKey());
                if (fieldType == null) {
                  unknown.add(at);
                } else {
                  walk(type, fieldType, at, entry.getValue(), wrong, unknown);
                }
              });
    }
  }

  private static String mismatch(String struct, String type, String path, JsonNode value) {
    String found =
        switch (value.getNodeType()) {
          case STRING -> "string";
          case NUMBER -> "number";
          case BOOLEAN -> "bool";
          case ARRAY -> "array";
          case OBJECT, POJO -> "object";
          case BINARY, MISSING, NULL -> "null";
        };
    String wanted =
        switch (type) {
          case "int" -> "int64";
          case "map" -> "map[string]string";
          case "object" -> "map[string]interface {}";
          default ->
              STRUCTS.containsKey(type.replace("[]", ""))
                  ? type.replaceFirst("([A-Z])", "v1.$1")
                  : type;
        };
    String field = path.replaceAll("\\[[0-9]+]", "");
    return "%s into Go struct field %s.%s of type %s".formatted(found, struct, field, wanted);
  }
}
