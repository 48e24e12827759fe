/**
 * Names: messages and records of the DNS (RFC 1035), zones in master-file text, and coredns as the
 * program of a pod.
 *
 * <pre>
 *   query --UDP, TCP--&gt; CoreDns --&gt; Zone (from a file that the kubelet keeps up to date)
 *                          `-----&gt; Forwarder --&gt; the nameservers of its own /etc/resolv.conf
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.dns.CoreDns}.
 */
@NullMarked
package dev.paramecium.container.process.dns;

import org.jspecify.annotations.NullMarked;
