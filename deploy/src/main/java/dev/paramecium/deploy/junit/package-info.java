/**
 * Tests in JUnit 5 that ask a cluster in their own JVM who reaches whom.
 *
 * <pre>
 *   &#64;ParameciumTest class  --ParameciumExtension-->  cluster.EphemeralCluster
 *      test(ClusterUnderTest)  --apply, probe-->       verify.World, verify.Prober
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.junit.ParameciumTest}.
 */
@NullMarked
package dev.paramecium.deploy.junit;

import org.jspecify.annotations.NullMarked;
