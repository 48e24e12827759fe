package dev.paramecium.container.process.load;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketException;

/** Sends every datagram back to where it came from. */
final class UdpEcho implements Process {

  private final Arrivals arrivals;

  UdpEcho(ProcessContext context, int port) throws SocketException {
    arrivals = new Arrivals(context);
    context
        .sockets()
        .bindUdp(
            Ipv4Address.ANY,
            port,
            (socket, from, payload) -> {
              arrivals.add(payload.length);
              try {
                socket.send(from, payload);
              } catch (SocketException e) {
                context.printError(e.getMessage() + "\n"); // the other end counts it as lost
              }
            });
  }

  @Override
  public void signal(int number) {
    arrivals.finish();
  }
}
