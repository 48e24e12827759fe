package dev.paramecium.kernel;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.container.NetworkNamespace;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.stack.NetworkStack;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.trace.StackTracer;
import dev.paramecium.lib.Identity;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Result;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;

/**
 * The addresses and routes of the node's own namespace: eth0's, and those that lead to the pods
 * through cilium_host. Used by the kernel's actor only.
 */
final class HostNetwork {

  private static final Ipv4Prefix EVERYWHERE = new Ipv4Prefix(Ipv4Address.ANY, 0);

  private final KernelConfig config;
  private final NamespacePort host;
  private final Devices devices;
  private final StackTracer tracer;
  private final NodeFib fib;

  /** The datapath whose routes stand; null before the first. */
  private @Nullable DatapathConfig routed;

  HostNetwork(KernelConfig config, NamespacePort host, Devices devices, StackTracer tracer) {
    this.config = config;
    this.host = host;
    this.devices = devices;
    this.tracer = tracer;
    DevicePort eth0 = devices.eth0();
    this.fib = new NodeFib(eth0.ifindex(), eth0.link().mac().value());
  }

  /** The same routes for programs. */
  NodeFib fib() {
    return fib;
  }

  /** Gives eth0 the node's address and the default route, and lets the node forward. */
  void configure() {
    fib.replace(
        new Ipv4Prefix(config.nodeIp(), config.nodePrefixLength()),
        devices.eth0().ifindex(),
        Ipv4Address.ANY);
    fib.addLocal(config.nodeIp());
    change(
        stack -> {
          if (config.nodeIp().value() >>> 24 == 127) {
            // The node's own network is a part of 127.0.0.0/8, which must not all be lo's then.
            Ipv4Address localhost = new Ipv4Address(0x7f00_0001);
            stack.removeAddress(1, localhost);
            stack.addAddress(1, localhost, 32);
          }
          stack.addAddress(devices.eth0().ifindex(), config.nodeIp(), config.nodePrefixLength());
          stack.setForwarding(true);
          stack.observeRouting(tracer);
        });
    Ipv4Address gateway = config.gateway();
    if (gateway != null) {
      replaceRoute(EVERYWHERE, gateway, devices.eth0().link().name());
    }
  }

  /** Gives cilium_host the router's address and routes the node's pods through it. */
  void routePods(DatapathConfig wanted, DevicePort ciliumHost) {
    DatapathConfig before = routed;
    routed = wanted;
    int ifindex = ciliumHost.ifindex();
    if (before != null && !before.routerIp().equals(wanted.routerIp())) {
      fib.remove(new Ipv4Prefix(before.routerIp(), 32));
      fib.remove(before.podCidr());
    }
    fib.addLocal(wanted.routerIp());
    change(
        stack -> {
          if (before != null && !before.routerIp().equals(wanted.routerIp())) {
            stack.removeAddress(ifindex, before.routerIp());
            stack.removeRoute(before.podCidr());
          }
          if (before == null || !before.routerIp().equals(wanted.routerIp())) {
            stack.addAddress(ifindex, wanted.routerIp(), 32);
          }
          stack.markOutput(Identity.MARK_MAGIC_HOST);
          if (wanted.options().masquerade() == DatapathOptions.Masquerade.IPTABLES) {
            stack.masquerade(wanted.podCidr(), wanted.options().snatExclusion());
          } else {
            stack.noMasquerade();
          }
          stack.addRoute(
              new NamespaceView.Route(
                  new Ipv4Prefix(wanted.routerIp(), 32), null, Devices.HOST, null, "link", "boot"),
              0);
        });
    replaceRoute(wanted.podCidr(), wanted.routerIp(), Devices.HOST);
  }

  Result<Done> replaceRoute(Ipv4Prefix prefix, Ipv4Address gateway, String device) {
    DevicePort port = devices.onHost(device);
    if (port == null) {
      return Result.failed(
          Errno.ENODEV, "route " + prefix + ": there is no device " + device + " on the node");
    }
    DatapathConfig loaded = device.equals(Devices.HOST) ? routed : null;
    int mtu = loaded == null ? 0 : loaded.routeMtu();
    boolean onLink = gateway.equals(Ipv4Address.ANY);
    fib.replace(prefix, port.ifindex(), gateway);
    change(
        stack ->
            stack.addRoute(
                new NamespaceView.Route(
                    prefix,
                    onLink ? null : gateway,
                    device,
                    loaded == null ? null : loaded.routerIp(),
                    onLink ? "link" : "global",
                    "boot"),
                mtu));
    return Result.ok(Done.getInstance());
  }

  void removeRoute(Ipv4Prefix prefix) {
    fib.remove(prefix);
    change(stack -> stack.removeRoute(prefix));
  }

  private void change(Consumer<NetworkStack> change) {
    host.namespace().tell(new NetworkNamespace.Configure(change));
  }
}
