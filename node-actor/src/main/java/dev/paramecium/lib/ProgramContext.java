package dev.paramecium.lib;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.map.CiliumMaps;

/**
 * What a program is loaded with. Programs that are tail-called run on every thread that calls them:
 * {@code random} and {@code recorder} must bear that.
 */
public record ProgramContext(
    NodeConfig config, CiliumMaps maps, Clock clock, RandomSource random, TraceRecorder recorder) {}
