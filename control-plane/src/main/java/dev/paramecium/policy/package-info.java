/**
 * Policy resolution: from rules and identities to the entries of each endpoint's policy map,
 * exactly as v1.12.3 fills it. Knows no actor and no kernel.
 *
 * <pre>
 *   rule.PolicyRule --> PolicyRepository --(identity)--> SelectorPolicy --(selections, named ports)--> MapState
 *                              |                              |
 *                              +---------- SelectorCache -----+        identities in and out
 * </pre>
 *
 * Start at {@link dev.paramecium.policy.PolicyRepository}.
 */
@NullMarked
package dev.paramecium.policy;

import org.jspecify.annotations.NullMarked;
