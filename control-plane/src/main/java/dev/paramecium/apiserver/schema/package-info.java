/**
 * What each kind's objects look like, field by field: one model for built-in kinds and for those of
 * CustomResourceDefinitions.
 *
 * <pre>
 *   kubernetes.schema --BuiltInTypes--+            +-- TypeCheck        wrong and unknown fields
 *                                     +--> Type -->+-- OpenApi          explain, client-side checks
 *   openAPIV3Schema ----CustomTypes---+            +-- patches, apply   how lists and maps merge
 * </pre>
 *
 * Start at {@link dev.paramecium.apiserver.schema.Type}.
 */
@NullMarked
package dev.paramecium.apiserver.schema;

import org.jspecify.annotations.NullMarked;
