package dev.paramecium.container.stack;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Connections by their four-tuple: open addressing with linear probing, no allocation on lookup.
 */
final class ConnectionTable {

  private final int secret;
  private @Nullable Connection[] slots = new @Nullable Connection[64];
  private int size;

  /**
   * @param secret keeps peers from choosing ports that collide
   */
  ConnectionTable(int secret) {
    this.secret = secret | 1;
  }

  int size() {
    return size;
  }

  @Nullable Connection find(int localAddress, int localPort, int remoteAddress, int remotePort) {
    int mask = slots.length - 1;
    int slot = hash(localAddress, localPort, remoteAddress, remotePort) & mask;
    while (true) {
      Connection entry = slots[slot];
      if (entry == null
          || (entry.remotePort == remotePort
              && entry.localPort == localPort
              && entry.remoteAddress == remoteAddress
              && entry.localAddress == localAddress)) {
        return entry;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Adds a connection, or puts it in the place of the one with the same four-tuple. */
  void put(Connection connection) {
    if ((size + 1) * 2 > slots.length) {
      @Nullable Connection[] old = slots;
      slots = new @Nullable Connection[old.length * 2];
      size = 0;
      for (Connection entry : old) {
        if (entry != null) {
          place(entry);
        }
      }
    }
    place(connection);
  }

  private void place(Connection connection) {
    int mask = slots.length - 1;
    int slot = slotOf(connection) & mask;
    while (true) {
      Connection entry = slots[slot];
      if (entry == null) {
        slots[slot] = connection;
        size++;
        return;
      }
      if (same(entry, connection)) {
        slots[slot] = connection;
        return;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Removes exactly this connection; answers whether it was there. */
  boolean remove(Connection connection) {
    int mask = slots.length - 1;
    int slot = slotOf(connection) & mask;
    while (slots[slot] != connection) {
      if (slots[slot] == null) {
        return false;
      }
      slot = (slot + 1) & mask;
    }
    size--;
    int hole = slot;
    while (true) {
      slot = (slot + 1) & mask;
      Connection entry = slots[slot];
      if (entry == null) {
        break;
      }
      int home = slotOf(entry) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = entry;
        hole = slot;
      }
    }
    slots[hole] = null;
    return true;
  }

  /** A copy of what is in the table. */
  List<Connection> list() {
    List<Connection> all = new ArrayList<>(size);
    for (Connection entry : slots) {
      if (entry != null) {
        all.add(entry);
      }
    }
    return all;
  }

  void clear() {
    slots = new @Nullable Connection[64];
    size = 0;
  }

  private int slotOf(Connection entry) {
    return hash(entry.localAddress, entry.localPort, entry.remoteAddress, entry.remotePort);
  }

  private static boolean same(Connection a, Connection b) {
    return a.remotePort == b.remotePort
        && a.localPort == b.localPort
        && a.remoteAddress == b.remoteAddress
        && a.localAddress == b.localAddress;
  }

  private int hash(int localAddress, int localPort, int remoteAddress, int remotePort) {
    int mixed = (remoteAddress ^ secret) * 0x9e3779b1;
    mixed = (mixed ^ mixed >>> 15 ^ localAddress) * 0x85ebca77;
    mixed = (mixed ^ mixed >>> 13 ^ localPort << 16 ^ remotePort) * 0xc2b2ae3d;
    return mixed ^ mixed >>> 16;
  }
}
