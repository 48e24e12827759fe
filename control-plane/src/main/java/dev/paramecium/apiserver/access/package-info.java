/**
 * Who asks, and whether they may: certificates, tokens, role-based access control.
 *
 * <pre>
 *   TLS handshake, Authorization --Authentication--&gt; User --Authorizer, Attributes--&gt; yes, or 403
 *   Roles, bindings, service accounts --AccessCache--&gt; what both look at
 * </pre>
 *
 * Start at {@link dev.paramecium.apiserver.access.Access}.
 */
@NullMarked
package dev.paramecium.apiserver.access;

import org.jspecify.annotations.NullMarked;
