package dev.paramecium.datapath.netdev;

/** {@code allow_vlan}: VLANs whose frames may pass a native device. */
public interface VlanFilter {

  /** The bits of a tag that are the VLAN's number. */
  int ID_MASK = 0xfff;

  /** VLAN_FILTER without {@code --vlan-bpf-bypass}: none. */
  VlanFilter NONE = (ifindex, vlan) -> false;

  /**
   * @param vlan 1 to 4095
   */
  boolean allows(int ifindex, int vlan);
}
