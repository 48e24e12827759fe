/**
 * Cilium's maps by their names: what programs and the agent share, with typed views of the generic
 * maps for the hot path.
 *
 * <pre>
 *   program --lookup(address)--> Ipcache --LpmTrie--> entry           agent --bytes--> the same LpmTrie
 * </pre>
 *
 * Start at {@link dev.paramecium.map.CiliumMaps}.
 */
@NullMarked
package dev.paramecium.map;

import org.jspecify.annotations.NullMarked;
