package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.Exchange;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.syscall.ContainerSpec;

/**
 * What runs for an image that is not known: answers HTTP on its declared TCP ports with the pod's
 * name, and echoes datagrams on its UDP ports.
 */
public final class StandIn implements Process {

  private final ProcessContext context;
  private final String podName;

  private StandIn(ProcessContext context, String podName) {
    this.context = context;
    this.podName = podName;
  }

  public static Executable of(ContainerSpec spec) {
    return context -> {
      StandIn standIn = new StandIn(context, spec.podName());
      for (ContainerSpec.Port port : spec.ports()) {
        if (!standIn.serve(port)) {
          context.exit(1);
          break;
        }
      }
      return standIn;
    };
  }

  private boolean serve(ContainerSpec.Port port) {
    try {
      switch (port.protocol()) {
        case "TCP" -> new HttpServer(context, port.number(), new GoStyle(), this::answer);
        case "UDP" -> context.sockets().bindUdp(Ipv4Address.ANY, port.number(), new Echo());
        default -> {
          context.printError(
              "port "
                  + port.number()
                  + "/"
                  + port.protocol()
                  + " is not served: only TCP and UDP\n");
          return true;
        }
      }
      context.print("serving port " + port.number() + "/" + port.protocol() + "\n");
      return true;
    } catch (SocketException e) {
      context.printError(
          "port " + port.number() + "/" + port.protocol() + ": " + e.getMessage() + "\n");
      return false;
    }
  }

  private void answer(Exchange exchange) {
    exchange.respond(Response.of(200, "text/plain; charset=utf-8", podName + "\n"));
    context.print(
        exchange.client().address()
            + " \""
            + exchange.request().method()
            + " "
            + exchange.request().target()
            + "\" "
            + exchange.status()
            + "\n");
  }

  private final class Echo implements UdpHandler {
    @Override
    public void datagram(UdpSocket socket, SocketAddress from, byte[] payload) {
      try {
        socket.send(from, payload);
      } catch (SocketException e) {
        context.printError("echo to " + from + ": " + e.getMessage() + "\n");
      }
    }
  }

  @Override
  public void signal(int number) {
    context.exit(number == Signals.SIGTERM ? 0 : Signals.exitCode(number));
  }
}
