/**
 * cilium-agent's options by the names of Cilium's ConfigMap ({@code pkg/option}, {@code
 * daemon/cmd/kube_proxy_replacement.go}).
 *
 * <pre>
 *   name=value … --AgentOptions.of: known? valid? do they agree?--&gt; effective values --&gt; DatapathOptions, ServiceOptions
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.option.AgentOptions}.
 */
@NullMarked
package dev.paramecium.agent.option;

import org.jspecify.annotations.NullMarked;
