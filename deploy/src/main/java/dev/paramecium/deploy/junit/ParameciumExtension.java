package dev.paramecium.deploy.junit;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.EphemeralCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Starts, hands out, tidies and stops the cluster of a {@link ParameciumTest}. */
public final class ParameciumExtension
    implements BeforeAllCallback, AfterAllCallback, AfterEachCallback, ParameterResolver {

  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(ParameciumExtension.class);

  private static final String CLUSTER = "cluster";

  /** Not closeable, so that JUnit leaves its end to {@link #afterAll}. */
  private record Started(EphemeralCluster cluster, ClusterUnderTest view) {}

  @Override
  public void beforeAll(ExtensionContext context) {
    ExtensionContext.Store store = context.getStore(NAMESPACE);
    if (store.get(CLUSTER, Started.class) != null) {
      return; // A nested class shares that of the class around it.
    }
    Class<?> test = context.getRequiredTestClass();
    ParameciumTest wanted =
        AnnotationSupport.findAnnotation(test, ParameciumTest.class)
            .orElseThrow(
                () ->
                    new ExtensionConfigurationException(
                        test.getName() + " needs @ParameciumTest: it says what cluster to start"));
    EphemeralCluster cluster = EphemeralCluster.start(wanted.nodes(), options(wanted));
    try {
      ClusterUnderTest view = new ClusterUnderTest(cluster.api(), test);
      for (String manifest : wanted.manifests()) {
        view.applyFile(manifest);
      }
      view.settle();
      view.keep();
      store.put(CLUSTER, new Started(cluster, view));
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private static Topology.Options options(ParameciumTest wanted) {
    Map<String, String> options = new LinkedHashMap<>();
    for (String option : wanted.options()) {
      int equals = option.indexOf('=');
      if (equals < 0) {
        throw new UserError(
            UserError.USAGE, "option \"" + option + "\" has no value: write name=value.");
      }
      options.put(option.substring(0, equals), option.substring(equals + 1));
    }
    return Topology.Options.parse(options);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Started started = context.getStore(NAMESPACE).get(CLUSTER, Started.class);
    if (started != null) {
      started.view().undo();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    @Nullable Started started = context.getStore(NAMESPACE).remove(CLUSTER, Started.class);
    if (started != null) {
      started.cluster().close();
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType().equals(ClusterUnderTest.class);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Started started = context.getStore(NAMESPACE).get(CLUSTER, Started.class);
    if (started == null) {
      throw new ExtensionConfigurationException(
          "the cluster starts before all tests of a class: its constructor cannot have it");
    }
    return started.view();
  }
}
