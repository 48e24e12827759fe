package dev.paramecium.kernel;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.datapath.underlay.FaultyUnderlay;
import dev.paramecium.datapath.underlay.NodeResolver;
import dev.paramecium.datapath.underlay.Underlays;
import java.net.DatagramSocket;
import java.net.SocketException;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;

/** The reference scenario: a pod with curl on node 1, one with httpbin on node 2. */
final class TwoNodes implements AutoCloseable {

  static final int CURL_IDENTITY = 31028;
  static final int HTTPBIN_IDENTITY = 15773;

  final ActorTestKit kit = ActorTestKit.create();
  final int port = freePort();
  final TestNode one;
  final TestNode two;
  final TestNode.Pod curl;
  final TestNode.Pod httpbin;

  /** Each node on a loopback address of its own, with its configuration changed as wanted. */
  TwoNodes(UnaryOperator<KernelConfig> change) {
    NodeResolver resolver = NodeResolver.identity(port);
    one = node("ubuntu-dev2", "127.0.0.12", "10.42.1.0/24", 1, resolver, change);
    two = node("ubuntu-dev3", "127.0.0.13", "10.42.0.0/24", 2, resolver, change);
    curl = one.startPod("curl", 1180, CURL_IDENTITY, "10.42.1.80", "curlimages/curl");
    httpbin = two.startPod("bin", 2826, HTTPBIN_IDENTITY, "10.42.0.51", "kennethreitz/httpbin");
    one.learn(two, httpbin);
    two.learn(one, curl);
  }

  /** The same with a cable between them that loses, repeats and reorders, replayed from a seed. */
  static TwoNodes over(FaultyUnderlay.Faults faults, long seed) {
    System.out.println("seed " + seed);
    return new TwoNodes(
        config ->
            config.withNetwork(
                pool ->
                    new FaultyUnderlay(
                        Underlays.open(config.underlay(), config.nodeIp(), config.resolver(), pool),
                        faults,
                        RandomSource.seeded(seed + config.seed()),
                        pool)));
  }

  private TestNode node(
      String name,
      String ip,
      String podCidr,
      long seed,
      NodeResolver resolver,
      UnaryOperator<KernelConfig> change) {
    return new TestNode(
        kit,
        change.apply(KernelConfig.of(name, Ipv4Address.parse(ip), seed).withResolver(resolver)),
        podCidr);
  }

  /** An even port above 20,000 that nobody listens on. */
  static int freePort() {
    try (DatagramSocket probe = new DatagramSocket()) {
      return Math.max(20_000, probe.getLocalPort() & ~1);
    } catch (SocketException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
  }
}
