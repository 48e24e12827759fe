package dev.paramecium.lib;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.TraceNotify;

/**
 * What the kernel has once for each CPU: the buffer that a conntrack lookup is handed over in from
 * one program to the next ({@code CT_TAIL_CALL_BUFFER4}), and the stack frames of programs. A run
 * of a program with all its tail calls stays on one thread, so nobody else sees it meanwhile.
 */
public final class PerCpu {

  private static final ThreadLocal<PerCpu> CURRENT = ThreadLocal.withInitial(PerCpu::new);

  // ---- CT_TAIL_CALL_BUFFER4

  /** Of the last lookup for policy. */
  public final Ipv4CtTuple tuple = new Ipv4CtTuple();

  /** What that lookup found. */
  public final CtState ctState = new CtState();

  /** What that lookup answered: a state of {@link Conntrack} or a negative drop reason. */
  public int ctStatus;

  /** How much of the packet the monitor should see after the last lookup; 0 for nothing. */
  public int monitor;

  // ---- variables of the running program

  public final CtState ctStateNew = new CtState();
  public final Ipv4CtTuple serviceTuple = new Ipv4CtTuple();
  final Ipv4CtTuple natTuple = new Ipv4CtTuple();
  final Ipv4CtTuple otherTuple = new Ipv4CtTuple();
  final CtState otherState = new CtState();
  final Fib.Answer fib = new Fib.Answer();

  /** The frontend that the packet asks for. */
  int service;

  /** SCOPE of the keys that its backends are under. */
  int serviceScope;

  /** Who sent the packet. */
  public int sourceIdentity;

  /** The packet's destination as the ipcache knows it. */
  public int destinationIdentity;

  /** The node that the ipcache says the destination is on, 0 for none. */
  public int tunnelEndpoint;

  /** Where ingress policy redirects to, in network order. */
  public int rawProxyPort;

  /** POLICY_MATCH_… of the last policy lookup. */
  public int policyMatch;

  /** Whether the last policy lookup let a denied packet pass. */
  public boolean audited;

  /** Room for one message to the monitor. */
  final byte[] message = new byte[TraceNotify.SIZE];

  /** Room for one map value. */
  final byte[] value = new byte[CtEntry.SIZE];

  private PerCpu() {}

  /** The calling thread's. */
  public static PerCpu current() {
    return CURRENT.get();
  }
}
