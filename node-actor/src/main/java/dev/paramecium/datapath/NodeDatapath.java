package dev.paramecium.datapath;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.sock.Cgroup;
import dev.paramecium.datapath.trace.PacketTrace;

/** What all devices and programs of a node share. */
public record NodeDatapath(
    SkBuffPool pool,
    Clock clock,
    DeviceTable devices,
    ProgramTable programs,
    DropCounters drops,
    PacketTrace trace,
    Cgroup cgroup) {}
