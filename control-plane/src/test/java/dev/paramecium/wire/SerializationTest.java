package dev.paramecium.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.typesafe.config.ConfigFactory;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.ApiWatchEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.log.LogBook;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.serialization.Serializers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SerializationTest {

  private static final ActorTestKit KIT =
      ActorTestKit.create(
          "wire",
          ConfigFactory.parseString("pekko.actor.allow-java-serialization = off")
              .withFallback(ConfigFactory.load()));
  private static final Serialization SERIALIZATION =
      SerializationExtension.get(Adapter.toClassic(KIT.system()));

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private static <T> ActorRef<T> ref() {
    return KIT.<T>createTestProbe().getRef();
  }

  private static KubeObject pod() {
    return new KubeObject(
        JsonNodeFactory.instance
            .objectNode()
            .put("kind", "Pod")
            .put("note", "ü")
            .put("count", 7)
            .putNull("nothing"));
  }

  static Stream<Object> everyMessage() {
    ResourceType type = ResourceType.CILIUM_ENDPOINT;
    ExecRequest exec = new ExecRequest("", List.of("curl", "-s", "x"), true, false);
    return Stream.of(
        new ApiRequest.Create(type, "ns", pod(), true, ref()),
        new ApiRequest.Get(type, "ns", "name", ref()),
        new ApiRequest.List(type, "", "a=b", "metadata.name=c", ref()),
        new ApiRequest.Update(type, "ns", "name", "status", pod(), false, ref()),
        new ApiRequest.Patch(
            type, "ns", "name", "", "application/json-patch+json", "[\"ü\"]", true, ref()),
        new ApiRequest.Delete(type, "ns", "name", -1, "uid", ref()),
        new ApiRequest.Watch(type, "", "a", "", 1L << 40, ref()),
        new ApiRequest.WatchAck(64, ref()),
        new ApiRequest.Unwatch(ref()),
        new ApiReply.Stored(pod(), true),
        new ApiReply.Deleted(pod()),
        new ApiReply.Listed(List.of(pod(), pod()), 42),
        new ApiReply.Failed(409, "Conflict", "try again"),
        new ApiWatchEvent.Added(pod()),
        new ApiWatchEvent.Modified(pod()),
        new ApiWatchEvent.Deleted(pod()),
        new ApiWatchEvent.Bookmark(5, true, 9),
        new ApiWatchEvent.Expired(3),
        new ExecOutput.Started(ref()),
        new ExecOutput.Ack(4),
        new ExecOutput.Exited(3),
        new ExecOutput.Refused(Errno.ENOENT, "no such file"),
        new ExecInput.CloseStdin(),
        new ExecInput.Resize(80, 24),
        new ExecInput.Ack(2),
        new ExecInput.Signal(9),
        new KubeletRequest.Exec("ns", "pod", "c", exec, ref()),
        new KubeletRequest.HostExec(exec, ref()),
        new KubeletRequest.ReadLog("ns", "pod", "c", new LogRequest("", true, 10, 5, true), ref()),
        new KubeletRequest.ArmTrace(
            "t",
            new TraceFilter(Ipv4Address.parse("10.0.0.1"), Ipv4Address.ANY, 6, 0, 80),
            ref(),
            ref()),
        new KubeletRequest.DisarmTrace("t"),
        new KubeletRequest.ReadStatus(true, ref()),
        new KubeletRequest.TraceArmed("node-1", "t"),
        new KubeletRequest.ReadUsage(ref()),
        new KubeletRequest.NodeUsage(
            "node-1",
            7,
            8,
            9,
            List.of(new KubeletRequest.ContainerUsage("default/p", "c", "id", 10, 11, 12))),
        new KubeletRequest.KubeletStatus("node-1", 7, 8, 9, 10, Map.of("packets", 11L)),
        new LogBook.Follow(1L << 40, ref()),
        new LogBook.Lines(1L << 40, List.of("level=info msg=ü")),
        new Observation(
            "node-1",
            1,
            2,
            3,
            4,
            "lxc1",
            5,
            "tc ingress",
            "bpf_lxc.o",
            6,
            List.of("f", "g"),
            List.of(new Observation.Lookup("cilium_ipcache", "k", "v")),
            "TC_ACT_OK",
            "",
            "",
            false,
            new Observation.PacketSummary("m", "n", "s", "d", 1, 2, "TCP", "SYN", "", 64, 74, 0),
            -1));
  }

  @ParameterizedTest
  @MethodSource("everyMessage")
  void everyMessageArrivesAsItWasSent(Object message) {
    assertThat(roundTrip(message)).isEqualTo(message);
  }

  @Test
  void bytesArriveAsTheyWereSent() {
    byte[] bytes = {0, 1, -1, 127, -128};
    assertThat(((ExecInput.Stdin) roundTrip(new ExecInput.Stdin(bytes))).bytes()).isEqualTo(bytes);
    ExecOutput.Data data = (ExecOutput.Data) roundTrip(new ExecOutput.Data(2, bytes));
    assertThat(data.stream()).isEqualTo(2);
    assertThat(data.bytes()).isEqualTo(bytes);
  }

  private static Object roundTrip(Object message) {
    Serializer serializer = SERIALIZATION.findSerializerFor(message);
    assertThat(serializer.getClass().getName()).startsWith("dev.paramecium");
    byte[] bytes = SERIALIZATION.serialize(message).get();
    return SERIALIZATION
        .deserialize(bytes, serializer.identifier(), Serializers.manifestFor(serializer, message))
        .get();
  }

  private record NotRegistered(String text) implements java.io.Serializable {}

  @Test
  void aClassThatIsNotListedFailsWithItsName() {
    Serializer kryo = SERIALIZATION.findSerializerFor(new ExecInput.Ack(1));
    assertThatThrownBy(() -> kryo.toBinary(new NotRegistered("x")))
        .hasMessageContaining("NotRegistered");
    assertThatThrownBy(() -> SERIALIZATION.serialize(new NotRegistered("x")).get())
        .hasMessageContaining("allow-java-serialization");
  }

  @Test
  void bytesThatAreNoMessageAreRefused() {
    Serializer api = SERIALIZATION.findSerializerFor(new ApiReply.Failed(1, "", ""));
    assertThat(
            SERIALIZATION.deserialize(new byte[] {1, 2, 3}, api.identifier(), "Create").isFailure())
        .isTrue();
    assertThat(SERIALIZATION.deserialize(new byte[0], api.identifier(), "Nonsense").isFailure())
        .isTrue();
  }
}
