package dev.paramecium.datapath.host;

import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Proxy;
import dev.paramecium.lib.TraceRecorder;

/**
 * {@code bpf_host.o:[to-host]}, tc ingress of {@code cilium_host} and {@code cilium_net}: what
 * reaches the node's own stack.
 */
public final class ToHost implements Program {

  private static final int MAGIC_MASK = 0xffff;

  private final BpfLib lib;
  private final TraceRecorder recorder;

  ToHost(BpfLib lib) {
    this.lib = lib;
    this.recorder = lib.context().recorder();
  }

  /** {@code to_host}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "to_host");
    }
    int magic = packet.cb0;
    int sourceIdentity = 0;
    if ((magic & Identity.MARK_MAGIC_HOST_MASK) == Identity.MARK_MAGIC_ENCRYPT) {
      sourceIdentity = packet.cb1;
      packet.mark = Identity.withIdentity(magic, sourceIdentity);
    } else if ((magic & MAGIC_MASK) == Identity.MARK_MAGIC_TO_PROXY) {
      // Whoever sent it around has told of it, and knew more.
      packet.cb0 = 0;
      Proxy.redirectFirst(packet, magic >>> 16);
      return Verdict.OK;
    }
    lib.events()
        .trace(
            packet,
            TracePoint.TO_STACK,
            sourceIdentity,
            0,
            0,
            lib.context().config().ciliumIfindex(),
            TraceReason.UNKNOWN.code(),
            0,
            0);
    return Verdict.OK;
  }
}
