/**
 * One file for each sub-command of {@code paramecium}.
 *
 * <pre>
 *   a shell  -->  XCommand.call()  -->  exit code
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.command.ParameciumCommand}.
 */
@NullMarked
package dev.paramecium.deploy.command;

import org.jspecify.annotations.NullMarked;
