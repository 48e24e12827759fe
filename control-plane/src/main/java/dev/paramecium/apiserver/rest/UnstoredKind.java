package dev.paramecium.apiserver.rest;

import java.util.List;

/**
 * A kind of which nothing is stored: it is worked out when somebody asks.
 *
 * @param verbs what one may do with it
 */
record UnstoredKind(
    String group,
    String version,
    String plural,
    String kind,
    boolean namespaced,
    List<String> verbs) {}
