package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Address;

/**
 * What cilium-agent compiles into one endpoint's {@code bpf_lxc.o} ({@code ep_config.h}).
 *
 * @param endpointId 1 to 65535, unique on the node; the index into {@code cilium_call_policy}
 * @param securityIdentity SECLABEL
 * @param ipv4 LXC_IPV4, the only source address that the pod may use
 * @param ifname the host side of the endpoint's veth pair, {@code lxc…}
 */
public record EndpointConfig(
    int endpointId, int securityIdentity, Ipv4Address ipv4, String ifname) {}
