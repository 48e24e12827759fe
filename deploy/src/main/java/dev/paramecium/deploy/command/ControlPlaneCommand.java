package dev.paramecium.deploy.command;

import dev.paramecium.deploy.cluster.ControlPlaneProcess;
import dev.paramecium.deploy.cluster.LocalMachine;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The control plane in the foreground. */
@Command(
    name = "control-plane",
    mixinStandardHelpOptions = true,
    description = "Runs the control plane in the foreground: API server, scheduler, operator.")
final class ControlPlaneCommand implements Callable<Integer> {

  @Mixin private final ProcessOptions process = new ProcessOptions();

  @Option(
      names = "--advertise",
      defaultValue = "${env:PARAMECIUM_ADVERTISE:-127.0.0.1}",
      paramLabel = "IP",
      description =
          "where the cluster link listens, as nodes reach it, or a name for it; default 127.0.0.1")
  private String advertise = "127.0.0.1";

  @Option(
      names = "--api-address",
      defaultValue = "${env:PARAMECIUM_API_ADDRESS:-127.0.0.1}",
      paramLabel = "IP",
      description =
          "where the API server listens; default 127.0.0.1, and without --tls only loopback")
  private String apiAddress = "127.0.0.1";

  @Option(
      names = "--api-port",
      defaultValue = "${env:PARAMECIUM_API_PORT:-6443}",
      paramLabel = "PORT",
      description = "default 6443")
  private int apiPort = 6443;

  @Mixin private final SecurityOptions security = new SecurityOptions();

  @Option(
      names = "--state-dir",
      defaultValue = "${env:PARAMECIUM_STATE_DIR}",
      paramLabel = "FOLDER",
      description = "where the journal lives; default: control-plane under PARAMECIUM_HOME")
  private @Nullable Path stateDir;

  @Option(
      names = "--home",
      paramLabel = "FOLDER",
      description =
          "the folder of the cluster.json that 'up' wrote: with it NodeChaos and ControlPlaneChaos"
              + " act on the processes there; default: PARAMECIUM_HOME")
  private @Nullable Path home;

  @Override
  public Integer call() {
    Path folder = home == null ? ClusterOptions.home() : home;
    LocalMachine machine = new LocalMachine(folder);
    machine.noteControlPlane();
    Path state = stateDir == null ? ClusterOptions.home().resolve("control-plane") : stateDir;
    new ControlPlaneProcess(
            ProcessOptions.ownAddress("--advertise", advertise),
            ProcessOptions.ownAddress("--api-address", apiAddress),
            apiPort,
            security.security(),
            folder,
            state,
            machine,
            process.clusterName,
            process.options())
        .run();
    return 0;
  }
}
