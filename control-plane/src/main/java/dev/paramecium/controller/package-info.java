/**
 * The controllers of kube-controller-manager.
 *
 * <pre>
 *   Node heartbeats  --NodeLifecycle-->  Ready=Unknown, taints, Pod Ready=False
 * </pre>
 *
 * Start at {@link dev.paramecium.controller.NodeLifecycle}.
 */
@NullMarked
package dev.paramecium.controller;

import org.jspecify.annotations.NullMarked;
