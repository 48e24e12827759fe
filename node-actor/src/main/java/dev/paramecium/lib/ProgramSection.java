package dev.paramecium.lib;

import dev.paramecium.bpf.Program;

/**
 * One ELF section of an object file: what BPF_PROG_LOAD makes a program of.
 *
 * @param object {@code bpf_lxc.o}
 * @param section {@code from-container}; of a tail call {@code 2/7}, map and slot
 * @param function the C function, {@code handle_xgress}
 * @param slot of the program array that the section goes into, -1 if it is attached to a device
 * @param program what runs
 */
public record ProgramSection(
    String object, String section, String function, int slot, Program program) {

  /** Attached to a device, not to a program array. */
  public static final int ATTACHED = -1;

  /** CILIUM_MAP_POLICY: the section's array is {@code cilium_call_policy}. */
  public static final int MAP_POLICY = 1;

  /** CILIUM_MAP_CALLS: the section's array is the object's own. */
  public static final int MAP_CALLS = 2;

  /** An attached section. */
  public static ProgramSection attached(
      String object, String section, String function, Program program) {
    return new ProgramSection(object, section, function, ATTACHED, program);
  }

  /** A section of the object's own tail calls. */
  public static ProgramSection tailCall(String object, int slot, String function, Program program) {
    return new ProgramSection(object, MAP_CALLS + "/" + slot, function, slot, program);
  }

  /** {@code bpf_lxc.o:[from-container]}, as tc names it. */
  public String name() {
    return object + ":[" + section + "]";
  }
}
