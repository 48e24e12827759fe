/**
 * What policies would do: the cluster's pods and identities as they are, its policies as they would
 * be. Nothing in the cluster is changed.
 *
 * <pre>
 *   API server --ClusterPicture--> PolicyModel (before) --.
 *   files --ProposedPolicies-----> PolicyModel (after)  --+--> PolicyDiff --> DiffPrinter
 * </pre>
 *
 * Start at {@link dev.paramecium.deploy.whatif.PolicyDiff}.
 */
@NullMarked
package dev.paramecium.deploy.whatif;

import org.jspecify.annotations.NullMarked;
