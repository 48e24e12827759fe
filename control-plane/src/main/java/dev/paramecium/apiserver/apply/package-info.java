/**
 * Server-side apply: who manages which field, and what happens when two want the same ({@code
 * sigs.k8s.io/structured-merge-diff}).
 *
 * <pre>
 *   metadata.managedFields: [ manager, operation, FieldsV1 ]      FieldSets: sets of paths as FieldsV1
 *   live + configuration  --ManagedFields.apply-->  merged + conflicts
 * </pre>
 *
 * Start at {@link dev.paramecium.apiserver.apply.ManagedFields}.
 */
@NullMarked
package dev.paramecium.apiserver.apply;

import org.jspecify.annotations.NullMarked;
