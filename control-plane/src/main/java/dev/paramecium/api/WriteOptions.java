package dev.paramecium.api;

/**
 * How a write is meant.
 *
 * @param dryRun whether everything happens but the write
 * @param fieldManager whose the written fields are; empty for writers that leave no trace in {@code
 *     managedFields}
 * @param fieldValidation what fields that the kind does not have lead to
 * @param force whether an apply takes fields from other managers
 */
public record WriteOptions(
    boolean dryRun, String fieldManager, Validation fieldValidation, boolean force) {

  /** What a write by the cluster's own components is. */
  public static final WriteOptions PLAIN = new WriteOptions(false, "", Validation.IGNORE, false);

  /** {@code fieldValidation} of a request. */
  public enum Validation {
    IGNORE,
    WARN,
    STRICT
  }

  static WriteOptions dryRun(boolean dryRun) {
    return dryRun ? new WriteOptions(true, "", Validation.IGNORE, false) : PLAIN;
  }
}
