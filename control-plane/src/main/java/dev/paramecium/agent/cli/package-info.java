/**
 * The sub-commands of {@code cilium} that the agent answers: their arguments, their output, their
 * session.
 *
 * <pre>
 *   argv --CiliumCommand--> AgentView (a moment's copy) --tables, JSON--> ExecSession --ExecOutput--> client
 * </pre>
 *
 * Start at {@link dev.paramecium.agent.cli.CiliumCommand}.
 */
@NullMarked
package dev.paramecium.agent.cli;

import org.jspecify.annotations.NullMarked;
