package dev.paramecium.lib;

/** {@code struct ct_state}: what a lookup says of a connection, or what a new entry shall hold. */
public final class CtState {

  /** As in the maps, in network order. */
  public int rawRevNatIndex;

  public boolean loopback;
  public boolean nodePort;
  public boolean dsr;
  public boolean proxyRedirect;

  /** Whether the packet that asked is a SYN; of service lookups only. */
  public boolean syn;

  public int ifindex;
  public int backendId;
  public int sourceSecurityIdentity;

  /** The address that a looped-back connection appears to come from. */
  public int address;

  /** The backend's address of a looped-back connection. */
  public int serviceAddress;

  public void clear() {
    rawRevNatIndex = 0;
    loopback = false;
    nodePort = false;
    dsr = false;
    proxyRedirect = false;
    syn = false;
    ifindex = 0;
    backendId = 0;
    sourceSecurityIdentity = 0;
    address = 0;
    serviceAddress = 0;
  }
}
