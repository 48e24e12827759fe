/**
 * What a node's kernel offers its userland (kubelet, cilium-agent, command-line tools), as messages
 * between actors of one JVM: netlink, bpf(2), a container runtime, and taps for tracing and
 * monitoring. {@code node-actor} implements it, {@code control-plane} uses it; neither knows the
 * other.
 *
 * <pre>
 *   kubelet, agent, tools  --Syscall-->  kernel actor
 *                          <--Result---
 * </pre>
 *
 * Start at {@link dev.paramecium.syscall.Syscall}.
 */
@NullMarked
package dev.paramecium.syscall;

import org.jspecify.annotations.NullMarked;
