package dev.paramecium.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.serializers.RecordSerializer;
import com.esotericsoftware.kryo.util.Pool;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.log.LogBook;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.JSerializer;

/**
 * What two JVMs of one build say to each other (exec, logs, traces, status), by Kryo. Only the
 * classes listed here can be sent: anything else fails with its name, and a byte stream cannot make
 * this JVM load a class of its choice.
 */
public final class KryoSerializer extends JSerializer {

  private static final int IDENTIFIER = 4_210_002;
  private static final int INITIAL_BYTES = 4 * 1024;
  private static final int MAX_BYTES = 1024 * 1024;

  /** In this order they are numbered; both ends run the same build. */
  private static final List<Class<?>> MESSAGES =
      List.of(
          Errno.class,
          Ipv4Address.class,
          ExecRequest.class,
          ExecOutput.Started.class,
          ExecOutput.Data.class,
          ExecOutput.Ack.class,
          ExecOutput.Exited.class,
          ExecOutput.Refused.class,
          ExecInput.Stdin.class,
          ExecInput.CloseStdin.class,
          ExecInput.Resize.class,
          ExecInput.Ack.class,
          ExecInput.Signal.class,
          LogRequest.class,
          TraceFilter.class,
          Observation.class,
          Observation.Lookup.class,
          Observation.PacketSummary.class,
          KubeletRequest.Exec.class,
          KubeletRequest.HostExec.class,
          KubeletRequest.ReadLog.class,
          KubeletRequest.ArmTrace.class,
          KubeletRequest.DisarmTrace.class,
          KubeletRequest.ReadStatus.class,
          KubeletRequest.ReadUsage.class,
          KubeletRequest.NodeUsage.class,
          KubeletRequest.ContainerUsage.class,
          KubeletRequest.TraceArmed.class,
          KubeletRequest.KubeletStatus.class,
          KubeletRequest.ForwardPort.class,
          KubeletRequest.Attach.class,
          LogBook.Follow.class,
          LogBook.Lines.class);

  private final Pool<Kryo> pool;

  public KryoSerializer(ExtendedActorSystem system) {
    ActorRefResolver resolver = ActorRefResolver.get(Adapter.toTyped(system));
    this.pool =
        new Pool<>(true, false, 16) {
          @Override
          protected Kryo create() {
            return newKryo(resolver);
          }
        };
  }

  private static Kryo newKryo(ActorRefResolver resolver) {
    Kryo kryo = new Kryo();
    kryo.setRegistrationRequired(true);
    kryo.setReferences(false);
    kryo.register(byte[].class);
    kryo.register(ActorRef.class, new ActorRefSerializer(resolver));
    kryo.register(List.class, new ListSerializer());
    kryo.register(Map.class, new MapOfStringsToLongsSerializer());
    for (Class<?> message : MESSAGES) {
      if (message.isRecord()) {
        kryo.register(message, fieldsByTheirDeclaredType(message));
      } else {
        kryo.register(message);
      }
    }
    return kryo;
  }

  /**
   * A field's serializer is its declared type's, so that it does not matter which List or Map a
   * sender used.
   */
  private static <T> RecordSerializer<T> fieldsByTheirDeclaredType(Class<T> type) {
    RecordSerializer<T> serializer = new RecordSerializer<>(type);
    serializer.setFixedFieldTypes(true);
    return serializer;
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public boolean includeManifest() {
    return false;
  }

  @Override
  public byte[] toBinary(Object message) {
    Kryo kryo = pool.obtain();
    try (Output output = new Output(INITIAL_BYTES, MAX_BYTES)) {
      kryo.writeClassAndObject(output, message);
      return output.toBytes();
    } finally {
      pool.free(kryo);
    }
  }

  @Override
  public Object fromBinaryJava(byte[] bytes, Class<?> manifest) {
    Kryo kryo = pool.obtain();
    try (Input input = new Input(bytes)) {
      return kryo.readClassAndObject(input);
    } finally {
      pool.free(kryo);
    }
  }

  /** An actor reference as text that resolves on any member. */
  private static final class ActorRefSerializer extends Serializer<ActorRef<?>> {

    private final ActorRefResolver resolver;

    ActorRefSerializer(ActorRefResolver resolver) {
      super(false, true);
      this.resolver = resolver;
    }

    @Override
    public void write(Kryo kryo, Output output, ActorRef<?> ref) {
      output.writeString(resolver.toSerializationFormat(ref));
    }

    @Override
    public ActorRef<?> read(Kryo kryo, Input input, Class<? extends ActorRef<?>> type) {
      return resolver.resolveActorRef(input.readString());
    }
  }

  /** A list of strings or of the messages above. */
  private static final class ListSerializer extends Serializer<List<?>> {

    @Override
    public void write(Kryo kryo, Output output, List<?> list) {
      output.writeVarInt(list.size(), true);
      list.forEach(element -> kryo.writeClassAndObject(output, element));
    }

    @Override
    public List<?> read(Kryo kryo, Input input, Class<? extends List<?>> type) {
      int size = input.readVarInt(true);
      List<Object> list = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        list.add(kryo.readClassAndObject(input));
      }
      return list;
    }
  }

  /** Counters by name. */
  private static final class MapOfStringsToLongsSerializer extends Serializer<Map<String, Long>> {

    @Override
    public void write(Kryo kryo, Output output, Map<String, Long> map) {
      output.writeVarInt(map.size(), true);
      map.forEach(
          (name, value) -> {
            output.writeString(name);
            output.writeLong(value);
          });
    }

    @Override
    public Map<String, Long> read(Kryo kryo, Input input, Class<? extends Map<String, Long>> type) {
      int size = input.readVarInt(true);
      Map<String, Long> map = new HashMap<>();
      for (int i = 0; i < size; i++) {
        map.put(input.readString(), input.readLong());
      }
      return map;
    }
  }
}
