/**
 * The API server as its clients see it: objects, requests, watches. Everything in the control plane
 * speaks this and nothing else to the API server, so that the same component runs beside it or on
 * another node.
 *
 * <pre>
 *   kubelet, agent, scheduler, operator, REST  --ApiRequest-->  api-server (cluster singleton)
 *                                              <--ApiReply---
 *   Informer (list, watch, resume)  --Added/Updated/Deleted/Synced-->  a component
 * </pre>
 *
 * Start at {@link dev.paramecium.api.ApiRequest}.
 */
@NullMarked
package dev.paramecium.api;

import org.jspecify.annotations.NullMarked;
