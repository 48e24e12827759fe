package dev.paramecium.container.process.load;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketException;

/** Counts datagrams. */
final class UdpSink implements Process {

  private final Arrivals arrivals;

  UdpSink(ProcessContext context, int port) throws SocketException {
    arrivals = new Arrivals(context);
    context
        .sockets()
        .bindUdp(Ipv4Address.ANY, port, (socket, from, payload) -> arrivals.add(payload.length));
  }

  @Override
  public void signal(int number) {
    arrivals.finish();
  }
}
