package dev.paramecium.deploy;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * The dependency rules of ARCHITECTURE.md, so that a wrong import fails the build instead of a
 * review.
 */
@AnalyzeClasses(packages = "dev.paramecium", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  private static final String[] DATA_PLANE = {
    "dev.paramecium.packet..",
    "dev.paramecium.bpf..",
    "dev.paramecium.map..",
    "dev.paramecium.lib..",
    "dev.paramecium.datapath..",
    "dev.paramecium.container..",
    "dev.paramecium.kernel..",
    "dev.paramecium.inspect..",
    "dev.paramecium.conformance..",
    "dev.paramecium.benchmark.."
  };

  private static final String[] CONTROL_PLANE = {
    "dev.paramecium.api..",
    "dev.paramecium.apiserver..",
    "dev.paramecium.scheduler..",
    "dev.paramecium.controller..",
    "dev.paramecium.events..",
    "dev.paramecium.dns..",
    "dev.paramecium.operator..",
    "dev.paramecium.kubelet..",
    "dev.paramecium.agent..",
    "dev.paramecium.userland..",
    "dev.paramecium.trace..",
    "dev.paramecium.world.."
  };

  @ArchTest
  static final ArchRule theDataPlaneKnowsNoKubernetes =
      noClasses()
          .that()
          .resideInAnyPackage(DATA_PLANE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CONTROL_PLANE);

  @ArchTest
  static final ArchRule theControlPlaneKnowsNoPacket =
      noClasses()
          .that()
          .resideInAnyPackage(CONTROL_PLANE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(DATA_PLANE);

  @ArchTest
  static final ArchRule nothingDependsOnHowItIsStarted =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.paramecium.deploy..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.paramecium.deploy..");

  @ArchTest
  static final ArchRule packetsKnowNoMaps =
      noClasses()
          .that()
          .resideInAPackage("dev.paramecium.packet..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.paramecium.map..", "dev.paramecium.lib..", "dev.paramecium.datapath..");

  @ArchTest
  static final ArchRule whatTheKernelGivesKnowsNoCilium =
      noClasses()
          .that()
          .resideInAPackage("dev.paramecium.bpf..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.paramecium.map..", "dev.paramecium.lib..", "dev.paramecium.datapath..");

  @ArchTest
  static final ArchRule mapsKnowNoSteps =
      noClasses()
          .that()
          .resideInAPackage("dev.paramecium.map..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.paramecium.lib..", "dev.paramecium.datapath..");

  @ArchTest
  static final ArchRule sharedStepsKnowNoProgram =
      noClasses()
          .that()
          .resideInAPackage("dev.paramecium.lib..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.paramecium.datapath..");

  @ArchTest
  static final ArchRule theStackKnowsNoProcess =
      noClasses()
          .that()
          .resideInAPackage("dev.paramecium.container.socket..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.paramecium.container.process..", "dev.paramecium.container.stack..");

  @ArchTest
  static final ArchRule timeComesFromTheClock =
      noClasses()
          .that()
          .resideInAnyPackage(DATA_PLANE)
          .and()
          .doNotHaveFullyQualifiedName("dev.paramecium.bpf.SystemClock")
          .should()
          .callMethod(System.class, "nanoTime")
          .orShould()
          .callMethod(System.class, "currentTimeMillis");

  @ArchTest
  static final ArchRule chanceComesFromTheRandomSource =
      noClasses()
          .that()
          .resideInAnyPackage(DATA_PLANE)
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.util.concurrent.ThreadLocalRandom");

  @ArchTest
  static final ArchRule socketsAreOpenedInTheUnderlayOnly =
      noClasses()
          .that()
          .resideInAnyPackage(DATA_PLANE)
          .and()
          .resideOutsideOfPackage("dev.paramecium.datapath.underlay..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.nio.channels..");

  @ArchTest
  static final ArchRule packagesFormNoCycle =
      slices().matching("dev.paramecium.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule commandsAreInOnePlace =
      classes()
          .that()
          .areAnnotatedWith(picocli.CommandLine.Command.class)
          .should()
          .resideInAPackage("dev.paramecium.deploy.command");
}
