package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.stack.SimulatedNetwork.Faults;

/**
 * Sends bytes over a path that loses 2 %, doubles 2 % and delays 5 % of the frames, and prints how
 * long that takes on the path's own time: what recovery costs, not the processor.
 *
 * <p>Arguments: MiB (32), one-way delay in microseconds (500).
 */
public final class FaultyThroughput {

  private FaultyThroughput() {}

  public static void main(String[] arguments) throws SocketException {
    int mib = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 32;
    long delayUs = arguments.length > 1 ? Long.parseLong(arguments[1]) : 500;
    Faults[] paths = {
      Faults.NONE,
      new Faults(0.02, 0, 0, 0),
      new Faults(0, 0, 0.05, 0),
      new Faults(0.02, 0.02, 0.05, 0)
    };
    for (Faults faults : paths) {
      SimulatedNetwork net = new SimulatedNetwork(1);
      net.delayNs = delayUs * 1000;
      net.faults = faults;
      Recorder server = new Recorder();
      Recorder client = new Recorder(new byte[mib << 20], true);
      net.b.listen(Ipv4Address.ANY, 80, 16, _ -> server);
      long start = net.nanos();
      net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
      boolean over = net.runUntil(client::isOver, 3_600_000);
      double seconds = (net.nanos() - start) / 1e9;
      System.out.printf(
          "%s: %d MiB in %.2f s (%.1f MB/s), over %s, %d segments, %d retransmitted, %d timeouts,"
              + " %d recoveries, %d undone, %d probes%n",
          faults,
          mib,
          seconds,
          server.received.size() / seconds / 1e6,
          over,
          net.counter(net.a, "TcpOutSegs"),
          net.counter(net.a, "TcpRetransSegs"),
          net.counter(net.a, "TcpExtTCPTimeouts"),
          net.counter(net.a, "TcpExtTCPSackRecovery"),
          net.counter(net.a, "TcpExtTCPDSACKUndo"),
          net.counter(net.a, "TcpExtTCPLossProbes"));
      net.close();
    }
  }
}
