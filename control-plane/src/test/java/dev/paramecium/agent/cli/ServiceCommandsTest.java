package dev.paramecium.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.FakeKernel;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.service.ServiceApi;
import dev.paramecium.agent.service.ServiceOptions;
import dev.paramecium.agent.service.Services;
import java.time.InstantSource;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code cilium service}, to what it prints and to the maps of a kernel. */
class ServiceCommandsTest {

  private final ActorTestKit kit = ActorTestKit.create();
  private final FakeKernel kernel = new FakeKernel();
  private final ActorRef<MapReconciler.Command> reconciler =
      kit.spawn(
          MapReconciler.create(
              new KernelCalls(kit.spawn(kernel.behavior()), kit.system().scheduler()),
              InstantSource.system()));
  private final ServiceApi services =
      new ServiceApi(
          new Services(ServiceOptions.defaults("node-1")), reconciler, kit.system().scheduler());

  @BeforeEach
  void manageMaps() {
    Services.mapNames().forEach(map -> reconciler.tell(new MapReconciler.Manage(map, true)));
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private CommandOutput run(String line) {
    Arguments arguments = Arguments.parse(List.of(("cilium service " + line).split(" ")));
    assertThat(arguments.error()).isEmpty();
    return switch (arguments.word(1)) {
      case "list" -> ServiceCommands.list(services, arguments);
      case "get" -> ServiceCommands.get(services, arguments);
      case "update" -> ServiceCommands.update(services, arguments).toCompletableFuture().join();
      default -> ServiceCommands.delete(services, arguments).toCompletableFuture().join();
    };
  }

  private Lb4Service frontend(String address, int port) {
    Bytes value =
        kernel
            .maps
            .get(MapNames.LB4_SERVICES)
            .get(new Bytes(new Lb4Key(Ipv4Address.parse(address), port).encode()));
    return Lb4Service.decode(value.array());
  }

  @Test
  void putsAServiceIntoTheMapsAndListsIt() {
    assertThat(
            run("update --id 3 --frontend 10.96.0.10:53"
                    + " --backends 10.0.0.112:53,10.0.0.113:53 --k8s-node-port")
                .stdout())
        .isEqualTo("Creating new service with id '3'\nAdded service with 2 backends\n");
    assertThat(run("update --id=9 --frontend=10.96.0.1:443").stdout())
        .isEqualTo(
            """
            Creating new service with id '9'
            Reading backend list from stdin...
            Added service with 0 backends
            """);
    assertThat(frontend("10.96.0.10", 53).toString()).isEqualTo("0 2 (3) [0x42 0x0]");
    assertThat(run("list").stdout())
        .isEqualTo(
            """
            ID   Frontend        Service Type   Backend                      |
            3    10.96.0.10:53   NodePort       1 => 10.0.0.112:53 (active)   |
                                                2 => 10.0.0.113:53 (active)   |
            9    10.96.0.1:443   ClusterIP                                   |
            """
                .replace("                      |", "                       ")
                .replace("|", ""));
    assertThat(run("get 3").stdout())
        .isEqualTo("10.96.0.10:53 =>\n\t\t1 => 10.0.0.112:53 (3)\n\t\t2 => 10.0.0.113:53 (3)\n");
  }

  @Test
  void takesABackendOutByItsState() {
    run("update --id 3 --frontend 10.96.0.10:53 --backends 10.0.0.1:53,10.0.0.2:53");
    assertThat(run("update --backends 10.0.0.1:53 --states maintenance").stdout())
        .isEqualTo("Updating backend states \nUpdated service with 1 backends\n");
    assertThat(frontend("10.96.0.10", 53).count()).isEqualTo(1);
    assertThat(run("list").stdout()).contains("1 => 10.0.0.1:53 (maintenance)");
    assertThat(run("update --backends 10.0.0.1:53 --states quarantined").stderr())
        .isEqualTo(
            "Error: invalid state transition for backend[10.0.0.1:53] (maintenance) ->"
                + " (quarantined)\n");
  }

  @Test
  void leavesNothingOfADeletedService() {
    run("update --id 3 --frontend 10.96.0.10:53 --backends 10.0.0.1:53");
    run("update --id 4 --frontend 10.96.0.11:53 --backends 10.0.0.1:53");
    assertThat(run("delete 3").stdout()).isEqualTo("Service 3 deleted successfully\n");
    assertThat(kernel.maps.get(MapNames.LB4_BACKENDS)).as("service 4 still uses it").hasSize(1);
    assertThat(run("delete --all").exitCode()).isZero();
    assertThat(Services.mapNames()).allSatisfy(map -> assertThat(kernel.maps.get(map)).isEmpty());
    assertThat(run("delete 3").stderr())
        .isEqualTo("Error: [DELETE /service/{id}][404] deleteServiceIdNotFound\n");
  }

  @Test
  void saysWhatIsWrong() {
    assertThat(run("update --frontend 10.0.0.1:80 --backends 10.0.0.2:80").stderr())
        .isEqualTo(
            "Error: Cannot add/update service: [PUT /service/{id}][500] putServiceIdFailure "
                + " invalid service ID 0\n");
    assertThat(run("update --id 1 --frontend 10.0.0.1 --backends 10.0.0.2:80").stderr())
        .isEqualTo(
            "Error: Unable to parse frontend address: 10.0.0.1: address 10.0.0.1: missing port in"
                + " address\n");
    run("update --id 1 --frontend 10.0.0.1:80 --backends 10.0.0.2:80");
    assertThat(run("update --id 2 --frontend 10.0.0.1:80 --backends 10.0.0.2:80").stderr())
        .contains("already registered with ID 1, please use that ID instead of 2");
    assertThat(run("update --id 1 --frontend 10.0.0.9:80 --backends 10.0.0.2:80").stderr())
        .contains("Service ID 1 is already registered to \"10.0.0.1:80\"");
    assertThat(
            run("update --id 5 --frontend 10.0.0.5:80 --backends 10.0.0.2:80 --k8s-node-port"
                    + " --k8s-host-port")
                .stderr())
        .startsWith("Error: Can only set one of --k8s-external");
    assertThat(run("get 77").stderr())
        .isEqualTo(
            "Error: Cannot get service '77': [GET /service/{id}][404] getServiceIdNotFound\n");
  }
}
