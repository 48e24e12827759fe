/**
 * The network tools of a container: {@code ping}, {@code nc}, {@code wget}, {@code nslookup},
 * {@code traceroute}, and the resolver that they and curl share.
 *
 * <pre>
 *   a name --Resolver--&gt; literal | /etc/hosts | UDP query to /etc/resolv.conf's nameserver --&gt; an address
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.net.Resolver}.
 */
@NullMarked
package dev.paramecium.container.process.net;

import org.jspecify.annotations.NullMarked;
