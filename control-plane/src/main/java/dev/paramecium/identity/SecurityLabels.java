package dev.paramecium.identity;

import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The labels that decide a pod's identity: its own, its namespace's, its service account and its
 * cluster, filtered as Cilium's default label filter does ({@code pkg/labelsfilter/filter.go},
 * {@code pkg/k8s/labels.go}).
 *
 * @param labels key with source, as {@code k8s:app}, to value; sorted
 */
public record SecurityLabels(SortedMap<String, String> labels) {

  /** The source of a label that Kubernetes gave. */
  public static final String SOURCE = "k8s:";

  private static final String NAMESPACE_NAME = "kubernetes.io/metadata.name";
  private static final String NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels.";
  private static final String CLUSTER = "io.cilium.k8s.policy.cluster";
  private static final String SERVICE_ACCOUNT = "io.cilium.k8s.policy.serviceaccount";
  private static final String POD_NAMESPACE = "io.kubernetes.pod.namespace";

  /** Each matches at the start of a key; the longest of these beats the shortest of the others. */
  private static final List<Pattern> INCLUDED =
      List.of(
          Pattern.compile("io\\.kubernetes\\.pod\\.namespace"),
          Pattern.compile("io\\.cilium\\.k8s\\.namespace\\.labels"),
          Pattern.compile("app\\.kubernetes\\.io"));

  private static final List<Pattern> IGNORED =
      List.of(
          Pattern.compile("io\\.kubernetes"),
          Pattern.compile("kubernetes\\.io"),
          Pattern.compile(".*beta\\.kubernetes\\.io"),
          Pattern.compile("k8s\\.io"),
          Pattern.compile("pod-template-generation"),
          Pattern.compile("pod-template-hash"),
          Pattern.compile("controller-revision-hash"),
          Pattern.compile("annotation.*"),
          Pattern.compile("etcd_node"));

  public SecurityLabels {
    labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
  }

  /**
   * The identity-relevant labels of {@code pod}.
   *
   * @param namespaceLabels of the pod's namespace; its name label need not be among them
   */
  public static SecurityLabels of(
      KubeObject pod, Map<String, String> namespaceLabels, String clusterName) {
    SortedMap<String, String> labels = new TreeMap<>();
    pod.labels().forEach((key, value) -> put(labels, key, value));
    namespaceLabels.forEach((key, value) -> put(labels, NAMESPACE_LABELS + key, value));
    put(labels, NAMESPACE_LABELS + NAMESPACE_NAME, pod.namespace());
    put(labels, POD_NAMESPACE, pod.namespace());
    put(labels, CLUSTER, clusterName);
    String serviceAccount = pod.text("/spec/serviceAccountName");
    put(labels, SERVICE_ACCOUNT, serviceAccount.isEmpty() ? "default" : serviceAccount);
    return new SecurityLabels(labels);
  }

  private static void put(Map<String, String> labels, String key, String value) {
    if (isRelevant(key)) {
      labels.put(SOURCE + key, value);
    }
  }

  /** Whether the default filter lets a label with this key (without source) into an identity. */
  static boolean isRelevant(String key) {
    int ignored = shortest(key);
    return ignored < 0 || longest(key) > ignored;
  }

  private static int longest(String key) {
    int longest = -1;
    for (Pattern pattern : INCLUDED) {
      Matcher matcher = pattern.matcher(key);
      if (matcher.lookingAt()) {
        longest = Math.max(longest, matcher.end());
      }
    }
    return longest;
  }

  private static int shortest(String key) {
    int shortest = -1;
    for (Pattern pattern : IGNORED) {
      Matcher matcher = pattern.matcher(key);
      if (matcher.lookingAt() && (shortest < 0 || matcher.end() < shortest)) {
        shortest = matcher.end();
      }
    }
    return shortest;
  }

  /**
   * One text for one label set and no other: {@code k8s:app=curl;k8s:…;}, sorted, as Cilium's
   * {@code SortedList} ({@code pkg/labels}). A {@code ;} or {@code \} in a value is escaped, so
   * that no two sets share a text.
   */
  public String key() {
    StringBuilder key = new StringBuilder();
    labels.forEach(
        (name, value) -> {
          escape(key, name);
          key.append('=');
          escape(key, value);
          key.append(';');
        });
    return key.toString();
  }

  private static void escape(StringBuilder out, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == ';' || c == '=' || c == '\\') {
        out.append('\\');
      }
      out.append(c);
    }
  }

  /**
   * As the command-line tools print them: {@code k8s:app=curl}; an empty value prints no {@code =}.
   */
  public List<String> lines() {
    List<String> lines = new ArrayList<>(labels.size());
    labels.forEach((key, value) -> lines.add(value.isEmpty() ? key : key + "=" + value));
    return lines;
  }
}
