/**
 * The cluster's names: what coredns answers, and what pods are told to ask.
 *
 * <pre>
 *   Services, EndpointSlices --&gt; ClusterZone (text) --NameFeed, Syscall.WriteFiles--&gt; coredns
 *   pod.spec.dnsPolicy --PodDns--&gt; /etc/resolv.conf
 * </pre>
 *
 * Start at {@link dev.paramecium.dns.ClusterZone}.
 */
@NullMarked
package dev.paramecium.dns;

import org.jspecify.annotations.NullMarked;
