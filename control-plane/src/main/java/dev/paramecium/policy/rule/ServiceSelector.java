package dev.paramecium.policy.rule;

import org.jspecify.annotations.Nullable;

/**
 * One entry of {@code toServices}: a service by name, or services by label.
 *
 * @param namespace empty for any
 * @param name empty if {@code selector} is there
 */
public record ServiceSelector(String namespace, String name, @Nullable EndpointSelector selector) {}
