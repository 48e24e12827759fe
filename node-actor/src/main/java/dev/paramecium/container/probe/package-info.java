/**
 * What the kubelet itself sends: connections from the node's own namespace to a container's port.
 *
 * <pre>
 *   kubelet --Syscall.HttpGet, ConnectTcp--&gt;  HttpGet, TcpDial  --sockets of the node--&gt;  cilium_host -&gt; lxc -&gt; pod
 * </pre>
 *
 * Start at {@link dev.paramecium.container.probe.HttpGet}.
 */
@NullMarked
package dev.paramecium.container.probe;

import org.jspecify.annotations.NullMarked;
