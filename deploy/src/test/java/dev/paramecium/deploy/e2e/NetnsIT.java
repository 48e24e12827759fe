package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.client.ApiHttp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three machines, as far as their network is concerned, each with one process that is started by
 * hand. The kernel's bridge is the switch, and what nft drops there is a broken cable.
 *
 * <pre>
 *   pm-cp control-plane 198.18.72.10 --+
 *   pm-n1 node-1        198.18.72.11 --+-- bridge pm-br0
 *   pm-n2 node-2        198.18.72.12 --+
 * </pre>
 */
class NetnsIT {

  private static final String BRIDGE = "pm-br0";
  private static final String NFT_TABLE = "pm_netns";
  private static final String NETWORK = "198.18.72.";
  private static final List<String> MACHINES = List.of("cp", "n1", "n2");
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** The node monitor's 40 s, and its period. */
  private static final Duration NOT_READY_LIMIT = Duration.ofSeconds(75);

  @TempDir private Path folder;
  private final List<Process> processes = new ArrayList<>();

  private static String address(String machine) {
    return NETWORK + (10 + MACHINES.indexOf(machine));
  }

  @Test
  void podsOnTwoMachinesTalkUntilACableBreaksAndAgainWhenItIsMended()
      throws IOException, InterruptedException {
    Tools.needRoot();
    Tools.need("ip");
    Tools.need("nft");
    cable();
    start("n1", "node", "--join", address("cp"), "--ip", address("n1"), "--name", "node-1");
    start("cp", "control-plane", "--advertise", address("cp"));
    Process last = start("n2", "node", "--join", address("cp") + ":25520", "--name", "node-2");
    await().atMost(LIMIT).ignoreExceptions().until(() -> ready("node-1") && ready("node-2"));
    assertThat(ctl("get", "nodes", "-o", "wide").output()).contains(address("n1"), address("n2"));

    Path pods = Files.writeString(folder.resolve("pods.yaml"), TestCluster.WALK_PODS);
    assertThat(ctl("apply", "-f", pods.toString()).exitCode()).isZero();
    await().atMost(LIMIT).until(() -> reaches() == 0);
    assertThat(ctl("trace", "curl", "httpbin:80").output())
        .contains("cilium_vxlan", "bpf_overlay.o:[from-overlay]");

    // node-2 is cut off from the control plane alone: packets pass, and it is missed.
    cut("cp", "n2");
    await().atMost(NOT_READY_LIMIT).until(() -> !ready("node-2"));
    assertThat(ready("node-1")).isTrue();
    mend();
    await().atMost(LIMIT).until(() -> ready("node-2") && reaches() == 0);

    // The nodes are cut off from each other alone: packets stop, and both stay Ready.
    cut("n1", "n2");
    await().atMost(LIMIT).until(() -> reaches() != 0);
    assertThat(ready("node-1") && ready("node-2")).isTrue();
    mend();
    await().atMost(LIMIT).until(() -> reaches() == 0);
    assertThat(ipcache("node-1")).isEqualTo(ipcache("node-2")).isNotEmpty();

    // A node that is told to stop leaves nothing of itself.
    last.destroy();
    assertThat(last.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(last.exitValue()).isEqualTo(143);
    assertThat(ctl("get", "nodes").output()).contains("node-1").doesNotContain("node-2");
    assertThat(ctl("get", "pods").output()).contains("curl").doesNotContain("httpbin");
  }

  private static void cable() throws IOException, InterruptedException {
    unplug();
    Tools.run("ip", "link", "add", BRIDGE, "type", "bridge");
    Tools.run("ip", "link", "set", BRIDGE, "up");
    for (String machine : MACHINES) {
      String port = "pm-" + machine + "p";
      Tools.run("ip", "netns", "add", "pm-" + machine);
      Tools.run(
          "ip",
          "link",
          "add",
          port,
          "type",
          "veth",
          "peer",
          "name",
          "eth0",
          "netns",
          "pm-" + machine);
      Tools.run("ip", "link", "set", port, "master", BRIDGE, "up");
      in(machine, "ip", "addr", "add", address(machine) + "/24", "dev", "eth0");
      in(machine, "ip", "link", "set", "eth0", "up");
      in(machine, "ip", "link", "set", "lo", "up");
    }
  }

  private static void unplug() throws IOException, InterruptedException {
    mend();
    for (String machine : MACHINES) {
      Tools.tryRun("ip", "netns", "del", "pm-" + machine);
    }
    Tools.tryRun("ip", "link", "del", BRIDGE);
  }

  private static void cut(String one, String other) throws IOException, InterruptedException {
    Tools.run("nft", "add", "table", "bridge", NFT_TABLE);
    Tools.run(
        "nft",
        "add",
        "chain",
        "bridge",
        NFT_TABLE,
        "forward",
        "{ type filter hook forward priority 0; }");
    for (List<String> way : List.of(List.of(one, other), List.of(other, one))) {
      Tools.run(
          "nft",
          "add",
          "rule",
          "bridge",
          NFT_TABLE,
          "forward",
          "iifname",
          "pm-" + way.getFirst() + "p",
          "oifname",
          "pm-" + way.getLast() + "p",
          "drop");
    }
  }

  private static void mend() throws IOException, InterruptedException {
    Tools.tryRun("nft", "delete", "table", "bridge", NFT_TABLE);
  }

  @AfterEach
  void removeEverything() throws IOException, InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly();
      process.onExit().join();
    }
    if (!processes.isEmpty()) {
      unplug();
    }
  }

  private static List<String> inMachine(String machine, List<String> command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", "pm-" + machine));
    all.addAll(command);
    return all;
  }

  private static void in(String machine, String... command)
      throws IOException, InterruptedException {
    Tools.run(inMachine(machine, List.of(command)).toArray(String[]::new));
  }

  private static List<String> paramecium(String... words) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--sun-misc-unsafe-memory-access=allow",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.paramecium.deploy.Paramecium"));
    command.addAll(List.of(words));
    return command;
  }

  /** ip replaces itself by the command, so that the process is the command. */
  private Process start(String machine, String... words) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(inMachine(machine, paramecium(words)))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(machine + ".log").toFile());
    builder.environment().put("PARAMECIUM_HOME", folder.resolve(machine).toString());
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  /** A command of the person at the control plane's machine. */
  private static Tools.Result ctl(String... words) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of("env", "PARAMECIUM_SERVER=http://127.0.0.1:6443"));
    command.addAll(paramecium(words));
    return Tools.tryRun(inMachine("cp", command).toArray(String[]::new));
  }

  private static boolean ready(String node) throws IOException, InterruptedException {
    Tools.Result result = ctl("get", "node", node, "-o", "json");
    if (result.exitCode() != 0) {
      return false;
    }
    JsonNode object = ApiHttp.JSON.readTree(result.output());
    return ApiHttp.isReady(object);
  }

  /** curl's exit code. */
  private static int reaches() throws IOException, InterruptedException {
    JsonNode pod = ApiHttp.JSON.readTree(ctl("get", "pod", "httpbin", "-o", "json").output());
    String address = pod.at("/status/podIP").asText();
    if (address.isEmpty()) {
      return -1;
    }
    return ctl("exec", "curl", "--", "curl", "-s", "-m", "2", "http://" + address + "/get")
        .exitCode();
  }

  /** The pods that the node knows, with their identities. */
  private static List<String> ipcache(String node) throws IOException, InterruptedException {
    return ctl("host", node, "--", "cilium", "bpf", "ipcache", "list")
        .output()
        .lines()
        .filter(line -> line.matches("10\\.42\\..*identity=\\d{4,}.*"))
        .map(line -> line.replaceAll("\\s+(identity=\\d+).*", " $1"))
        .sorted()
        .toList();
  }
}
