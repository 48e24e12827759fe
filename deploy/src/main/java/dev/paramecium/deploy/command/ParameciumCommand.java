package dev.paramecium.deploy.command;

import dev.paramecium.deploy.Version;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** The command without a sub-command: says what there is. */
@CommandLine.Command(
    name = "paramecium",
    mixinStandardHelpOptions = true,
    version = "paramecium " + Version.NUMBER + " (emulates Cilium v1.12.3)",
    description =
        "A Kubernetes cluster networked by Cilium v1.12.3, emulated: follow a packet through every"
            + " hook and map.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      DownCommand.class,
      StatusCommand.class,
      ApplyCommand.class,
      GetCommand.class,
      DeleteCommand.class,
      ExecCommand.class,
      LogsCommand.class,
      HostCommand.class,
      WorldCommand.class,
      TraceCommand.class,
      ProbeCommand.class,
      VerifyCommand.class,
      ChaosCommand.class,
      PolicyCommand.class,
      ConformanceCommand.class,
      BenchCommand.class,
      ControlPlaneCommand.class,
      NodeCommand.class,
      RehearseCommand.class,
      MeasureProgramsCommand.class,
      MeasurePolicyCommand.class
    })
public final class ParameciumCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec != null) {
      spec.commandLine().usage(spec.commandLine().getOut());
    }
    return CommandLine.ExitCode.USAGE;
  }
}
