package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.process.NamespaceView.Route;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.container.stack.SimulatedNetwork.Captured;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** No frame, however wrong, makes the stack throw or keep a buffer. */
class MalformedFramesTest {

  private static final int FRAMES = 150_000;

  private final long seed = Long.getLong("seed", 20_221_205L);
  private final RandomSource random = RandomSource.seeded(seed);
  private SimulatedNetwork net;
  private List<byte[]> valid;

  /** Both stacks serve TCP, UDP and ping, forward, and have open connections. */
  @BeforeEach
  void startServers() throws SocketException {
    System.out.println("seed " + seed);
    net = new SimulatedNetwork(seed);
    net.capture = true;
    for (NetworkStack stack : new NetworkStack[] {net.a, net.b}) {
      stack.setForwarding(true);
      stack.addRoute(
          new Route(Ipv4Prefix.parse("10.9.0.0/16"), null, "eth0", null, "link", "static"), 600);
      stack.listen(Ipv4Address.ANY, 80, 64, _ -> new Recorder(new byte[5000], true));
      stack.bindUdp(Ipv4Address.ANY, 53, echo());
      stack.openPing((_, _, _, _) -> {});
    }
    for (int i = 0; i < 8; i++) {
      net.a.connect(
          new SocketAddress(SimulatedNetwork.B, 80), new Recorder(new byte[3000 * i], i % 2 == 0));
    }
    UdpSocket client = net.a.bindUdp(Ipv4Address.ANY, 0, echo());
    client.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[4000]);
    client.send(new SocketAddress(SimulatedNetwork.B, 54), new byte[40]);
    net.a.openPing((_, _, _, _) -> {}).send(SimulatedNetwork.B, 1, 64, new byte[56]);
    net.run(500);
    net.capture = false;
    valid = new ArrayList<>();
    for (Captured captured : net.captured) {
      valid.add(captured.bytes());
    }
    assertThat(valid).hasSizeGreaterThan(40);
  }

  private static UdpHandler echo() {
    return (socket, from, payload) -> {
      try {
        if (from.port() != 53) {
          socket.send(from, payload);
        }
      } catch (SocketException e) {
        assertThat(e.error()).isNotNull();
      }
    };
  }

  @Test
  void randomBytesAreDroppedAndCounted() {
    long before = frames();
    for (int i = 0; i < FRAMES; i++) {
      byte[] frame = new byte[random(200)];
      fill(frame, 0);
      if (frame.length >= 14 && random(4) != 0) {
        System.arraycopy(valid.get(random(valid.size())), 0, frame, 0, 14);
      }
      net.inject(i % 2 == 0 ? net.a : net.b, frame);
    }
    assertThat(frames() - before).isEqualTo(FRAMES);
    expectNothingLeaked();
  }

  @Test
  void mutatedFramesAreDeliveredOrDropped() {
    for (int i = 0; i < FRAMES; i++) {
      byte[] frame = valid.get(random(valid.size())).clone();
      mutate(frame);
      if (random(3) == 0) {
        frame = Arrays.copyOf(frame, random(frame.length + 60));
      }
      if (random(3) != 0) {
        repairChecksums(frame);
      }
      net.inject(random(2) == 0 ? net.a : net.b, frame);
      if (i % 64 == 0) {
        net.run(random(30));
      }
    }
    expectNothingLeaked();
  }

  @Test
  void fragmentsOfAllKindsAreBounded() {
    for (int i = 0; i < FRAMES; i++) {
      byte[] frame = valid.get(random(valid.size())).clone();
      if (frame.length > 34 && frame[12] == 8 && frame[13] == 0) {
        Wire.setU16(frame, 14 + 4, random(50));
        Wire.setU16(frame, 14 + 6, random(0x10000) & 0x3fff);
        repairChecksums(frame);
      }
      net.inject(net.b, frame);
      if (i % 512 == 0) {
        net.run(200);
      }
    }
    assertThat(net.counter(net.b, "SockFragInuse")).isLessThan(20_000);
    expectNothingLeaked();
  }

  private long frames() {
    return net.counter(net.a, "EthInFrames") + net.counter(net.b, "EthInFrames");
  }

  /** After time for every timer the stacks hold no frame, connection or fragment. */
  private void expectNothingLeaked() {
    net.run(1_300_000);
    for (NetworkStack stack : new NetworkStack[] {net.a, net.b}) {
      assertThat(net.counter(stack, "SockFragInuse")).isZero();
      assertThat(net.counter(stack, "SockTcpTimeWait")).isZero();
    }
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }

  private void mutate(byte[] frame) {
    int changes = 1 + random(6);
    for (int i = 0; i < changes; i++) {
      int at = random(4) == 0 ? random(frame.length) : 14 + random(frame.length - 14);
      frame[at] =
          switch (random(4)) {
            case 0 -> 0;
            case 1 -> (byte) 0xff;
            case 2 -> (byte) (frame[at] ^ 1 << random(8));
            default -> (byte) random.nextInt();
          };
    }
  }

  /** So that mutations are not all stopped by the first checksum. */
  private static void repairChecksums(byte[] frame) {
    if (frame.length < 34 || frame[12] != 8 || frame[13] != 0) {
      return;
    }
    int header = (frame[14] & 0xf) * 4;
    int total = Wire.u16(frame, 16);
    if (header < 20 || total < header || 14 + total > frame.length) {
      return;
    }
    Wire.setU16(frame, 24, 0);
    Wire.setU16(frame, 24, Checksum.finish(Checksum.sum(frame, 14, header)));
    int payload = 14 + header;
    int length = total - header;
    int protocol = frame[23];
    int field =
        switch (protocol) {
          case 1 -> 2;
          case 6 -> 16;
          case 17 -> 6;
          default -> -1;
        };
    if (field < 0 || length < field + 2) {
      return;
    }
    Wire.setU16(frame, payload + field, 0);
    long pseudo =
        protocol == 1
            ? 0
            : Checksum.pseudoHeader(Wire.i32(frame, 26), Wire.i32(frame, 30), protocol, length);
    Wire.setU16(
        frame, payload + field, Checksum.finish(Checksum.sum(frame, payload, length) + pseudo));
  }

  private void fill(byte[] bytes, int from) {
    for (int i = from; i < bytes.length; i++) {
      bytes[i] = (byte) random.nextInt();
    }
  }

  private int random(int bound) {
    return (random.nextInt() >>> 1) % Math.max(1, bound);
  }
}
