package dev.paramecium.deploy.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class with a cluster in its own JVM: started before the first test, with the manifests
 * applied, and stopped after the last. Methods take it as a parameter of type {@link
 * ClusterUnderTest}. What a test method applies or labels is undone after it.
 *
 * <pre>
 *   &#64;ParameciumTest(manifests = "shop.yaml")
 *   class ShopPoliciesTest {
 *     &#64;Test
 *     void onlyTheFrontendReachesTheDatabase(ClusterUnderTest cluster) {
 *       cluster.applyFile("policies.yaml");
 *       cluster.assertAllowed("shop/frontend", "shop/db:5432");
 *       cluster.assertDenied("other/client", "shop/db:5432");
 *     }
 *   }
 * </pre>
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@ExtendWith(ParameciumExtension.class)
public @interface ParameciumTest {

  /** How many nodes. */
  int nodes() default 2;

  /** Options of the cluster, {@code name=value}, by the names of Cilium's ConfigMap. */
  String[] options() default {};

  /**
   * What is there before each test: resources beside the test class, or files, of YAML or JSON. A
   * folder stands for its files.
   */
  String[] manifests() default {};
}
