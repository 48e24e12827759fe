package dev.paramecium.datapath.sock;

/**
 * What {@code bpf_sock.o} is compiled with.
 *
 * @param hostNamespaceOnly ENABLE_SOCKET_LB_HOST_ONLY, {@code bpf-lb-sock-hostns-only}: pods are
 *     left to the programs on their devices
 * @param nodePort ENABLE_NODEPORT: NodePorts and HostPorts are found behind every address of a node
 * @param minNodePort NODEPORT_PORT_MIN
 * @param maxNodePort NODEPORT_PORT_MAX
 * @param bindProtection {@code node-port-bind-protection}: nobody on the node binds a service's
 *     port
 */
public record SocketLbConfig(
    boolean hostNamespaceOnly,
    boolean nodePort,
    int minNodePort,
    int maxNodePort,
    boolean bindProtection) {}
