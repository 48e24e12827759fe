package dev.paramecium.datapath;

import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.TailCalls;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.bpf.XdpAction;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * The shell around the program of one hook: runs it over batches, carries its verdicts out, keeps
 * its statistics, replaces it between two batches.
 *
 * <pre>
 *   Run(batch) --&gt; program, tail calls --&gt; OK        the device that asked: EgressPassed, IngressPassed
 *                                      --&gt; REDIRECT  DeviceTable[ifindex], its egress or ingress
 *                                      --&gt; SHOT      dropped; the program has counted why
 *   at the XDP hook                    --&gt; XDP_PASS  the device: XdpPassed
 *                                      --&gt; XDP_TX, XDP_REDIRECT  a device's driver
 *                                      --&gt; XDP_DROP  dropped
 * </pre>
 *
 * A program that throws takes the batch with it: its packets are counted drops, and the actor
 * restarts with the same program. Maps are not the actor's, they survive.
 */
public final class ProgramActor extends AbstractBehavior<ProgramActor.Command> {

  /** What the owner of a program can be told. */
  public sealed interface Command {}

  /** Runs the program over a batch, which is given, and tells the device what passed. */
  record Run(PacketBatch packets, ActorRef<NetDevice.Command> device, DevicePort port)
      implements Command {}

  /** Packets of later batches see the other program. */
  public record Replace(LoadedProgram program) implements Command {}

  /** The program is detached. */
  record Unload() implements Command {}

  /** What survives a restart: the program that is loaded now. */
  private static final class Slot {
    LoadedProgram loaded;

    Slot(LoadedProgram loaded) {
      this.loaded = loaded;
    }
  }

  private final Hook hook;
  private final NodeDatapath node;
  private final Slot slot;
  private final ProgramTracer tracer;

  // The batch that is being run, for the case that the program fails.
  private @Nullable PacketBatch running;
  private int next;
  private @Nullable PacketBatch passed;
  private @Nullable PacketBatch redirected;
  private int redirectIfindex;
  private int redirectFlags;

  private ProgramActor(ActorContext<Command> context, Hook hook, NodeDatapath node, Slot slot) {
    super(context);
    this.hook = hook;
    this.node = node;
    this.slot = slot;
    this.tracer = new ProgramTracer(node);
  }

  /** The owner of a loaded program, at one hook of one device. */
  public static Behavior<Command> create(Hook hook, LoadedProgram program, NodeDatapath node) {
    return Behaviors.setup(
        outer -> {
          Slot slot = new Slot(program);
          return Behaviors.<Command>supervise(
                  Behaviors.setup(context -> new ProgramActor(context, hook, node, slot)))
              .onFailure(RuntimeException.class, SupervisorStrategy.restart());
        });
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Run.class, this::onRun)
        .onMessage(Replace.class, this::onReplace)
        .onMessage(Unload.class, _ -> Behaviors.stopped())
        .onSignal(PreRestart.class, _ -> onPreRestart())
        .build();
  }

  private Behavior<Command> onRun(Run run) {
    LoadedProgram loaded = slot.loaded;
    PacketBatch packets = run.packets();
    long startNs = node.clock().nanos();
    int count = packets.size();
    running = packets;
    for (next = 0; next < count; next++) {
      SkBuff packet = packets.get(next);
      int verdict =
          packet.traced
              ? tracer.run(hook, loaded, packet, run.port())
              : TailCalls.run(loaded.program(), packet);
      if (hook == Hook.XDP) {
        carryOutXdp(verdict, packet);
      } else {
        carryOut(verdict, packet);
      }
    }
    running = null;
    packets.clear();
    node.pool().release(packets);
    loaded.statistics().ran(count, node.clock().nanos() - startNs);
    flushRedirected();
    PacketBatch ok = passed;
    if (ok != null) {
      passed = null;
      run.device()
          .tell(
              hook == Hook.XDP
                  ? new NetDevice.XdpPassed(ok)
                  : hook.direction() == Hook.Direction.EGRESS
                      ? new NetDevice.EgressPassed(ok)
                      : new NetDevice.IngressPassed(ok));
    }
    return this;
  }

  private void carryOut(int verdict, SkBuff packet) {
    if (verdict == Verdict.REDIRECT) {
      redirect(packet, packet.redirectIfindex, packet.redirectFlags);
    } else if (verdict == Verdict.SHOT) {
      node.drops().drop(DatapathDrop.PROGRAM_SHOT, packet);
    } else {
      // Direct action maps what it does not know to TC_ACT_UNSPEC, and the packet goes on.
      pass(packet);
    }
  }

  private void carryOutXdp(int action, SkBuff packet) {
    switch (action) {
      case XdpAction.PASS -> pass(packet);
      case XdpAction.TX -> redirect(packet, packet.ingressIfindex, 0);
      case XdpAction.REDIRECT -> redirect(packet, packet.redirectIfindex, 0);
      case XdpAction.DROP -> node.drops().drop(DatapathDrop.XDP_DROP, packet);
      default -> node.drops().drop(DatapathDrop.XDP_ABORTED, packet);
    }
  }

  private void pass(SkBuff packet) {
    if (passed == null) {
      passed = node.pool().takeBatch();
    }
    passed.add(packet);
  }

  private void redirect(SkBuff packet, int ifindex, int flags) {
    if (redirected != null && (ifindex != redirectIfindex || flags != redirectFlags)) {
      flushRedirected();
    }
    if (redirected == null) {
      redirected = node.pool().takeBatch();
      redirectIfindex = ifindex;
      redirectFlags = flags;
    }
    redirected.add(packet);
  }

  private void flushRedirected() {
    PacketBatch batch = redirected;
    if (batch == null) {
      return;
    }
    redirected = null;
    DevicePort target = node.devices().get(redirectIfindex);
    if (target == null) {
      node.drops().drop(DatapathDrop.REDIRECT_NO_DEVICE, batch);
    } else if (hook == Hook.XDP) {
      target.transmitXdp(batch);
    } else if ((redirectFlags & 1) != 0) {
      target.receive(batch);
    } else {
      target.transmit(batch);
    }
  }

  private Behavior<Command> onReplace(Replace replace) {
    slot.loaded = replace.program();
    return this;
  }

  private Behavior<Command> onPreRestart() {
    PacketBatch crashed = running;
    if (crashed != null) {
      // Those before the one that failed are in passed or redirected already, or ended.
      for (int i = next; i < crashed.size(); i++) {
        node.drops().drop(DatapathDrop.PROGRAM_CRASH, crashed.get(i));
      }
      crashed.clear();
      node.pool().release(crashed);
    }
    if (passed != null) {
      node.drops().drop(DatapathDrop.PROGRAM_CRASH, passed);
    }
    if (redirected != null) {
      node.drops().drop(DatapathDrop.PROGRAM_CRASH, redirected);
    }
    return this;
  }
}
