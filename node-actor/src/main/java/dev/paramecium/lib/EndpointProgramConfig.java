package dev.paramecium.lib;

/**
 * What cilium-agent compiles into one endpoint's {@code bpf_lxc.o} ({@code ep_config.h}).
 *
 * @param id LXC_ID
 * @param securityIdentity SECLABEL
 * @param ipv4 LXC_IPV4, the only source address that the pod may use
 * @param nodeMac NODE_MAC, the lxc device's address
 */
public record EndpointProgramConfig(int id, int securityIdentity, int ipv4, long nodeMac) {}
