package dev.paramecium.kernel;

import static dev.paramecium.datapath.sock.SocketNode.at;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.datapath.sock.SocketNode;
import dev.paramecium.syscall.TraceFilter;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TraceTargetsTest {

  private static final Ipv4Address VIP = Ipv4Address.parse("10.96.0.10");

  private final SocketNode node = new SocketNode();

  private static TraceFilter to(Ipv4Address address, int port) {
    return new TraceFilter(SocketNode.A, address, IpProtocol.TCP, 0, port);
  }

  @Test
  void aServicesBackendsAreFollowedToo() {
    node.service(at(VIP, 80), 0, at(SocketNode.B, 8080), at(SocketNode.ELSEWHERE, 8081));
    assertThat(TraceTargets.of(to(VIP, 80), node.maps.services()))
        .isEqualTo(List.of(to(VIP, 80), to(SocketNode.B, 8080), to(SocketNode.ELSEWHERE, 8081)));
  }

  @Test
  void anythingElseIsFollowedAsItIs() {
    node.service(at(VIP, 80), 0, at(SocketNode.B, 8080));
    assertThat(TraceTargets.of(to(VIP, 81), node.maps.services())).containsExactly(to(VIP, 81));
    assertThat(TraceTargets.of(to(SocketNode.B, 8080), node.maps.services()))
        .containsExactly(to(SocketNode.B, 8080));
  }
}
