package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.LocalCluster;
import java.io.File;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** iperf3 between two processes of the host's, over loopback. */
final class Iperf {

  private static final String PROGRAM = "iperf3";

  private Iperf() {}

  /** Whether PATH has it. */
  static boolean isInstalled() {
    for (String directory :
        System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
      if (new File(directory, PROGRAM).canExecute()) {
        return true;
      }
    }
    return false;
  }

  /** Bytes a second that one connection moves. */
  static double bytesPerSecond(long durationMs) {
    String port = Integer.toString(LocalCluster.freePort());
    String seconds = Long.toString(Math.max(1, TimeUnit.MILLISECONDS.toSeconds(durationMs)));
    LoadEnd.Running server =
        ReferenceProgram.run(
            List.of(PROGRAM, "-s", "-1", "-p", port, "-B", "127.0.0.1", "--forceflush"));
    server.awaitListening();
    LoadEnd.Running client =
        ReferenceProgram.run(List.of(PROGRAM, "-c", "127.0.0.1", "-p", port, "-t", seconds, "-J"));
    String report = client.output().join();
    server.output().join();
    try {
      JsonNode received = ApiHttp.JSON.readTree(report).path("end").path("sum_received");
      return received.path("bits_per_second").asDouble() / Byte.SIZE;
    } catch (JsonProcessingException e) {
      throw new UserError(UserError.FAILED, "iperf3 printed no JSON: " + report);
    }
  }
}
