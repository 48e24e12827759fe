/**
 * The sub-commands of {@code cilium} that the agent answers: their arguments and their output.
 *
 * <pre>
 *   node's cilium --AgentCall--> CiliumCommand --reads--> AgentView (a moment's copy)
 *                 <--Reply---- tables, JSON
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.cli.CiliumCommand}.
 */
@NullMarked
package dev.paramecium.agent.cli;

import org.jspecify.annotations.NullMarked;
