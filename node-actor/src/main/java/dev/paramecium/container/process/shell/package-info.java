/**
 * {@code sh}: a shell large enough for {@code kubectl exec -- sh -c '…'} and for a person at a
 * prompt.
 *
 * <pre>
 *   text --ShellParser--&gt; Node --Shell.run--&gt; builtins | child processes, joined by Pipes
 *                                 | Expansion: variables, $(…), $((…)), fields
 * </pre>
 *
 * Start at {@link dev.paramecium.container.process.shell.Shell}.
 */
@NullMarked
package dev.paramecium.container.process.shell;

import org.jspecify.annotations.NullMarked;
