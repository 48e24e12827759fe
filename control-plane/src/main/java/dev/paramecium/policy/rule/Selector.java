package dev.paramecium.policy.rule;

/** What selects peers: labels, or names whose addresses DNS tells. */
public sealed interface Selector permits EndpointSelector, FqdnSelector {}
