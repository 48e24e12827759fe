package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.container.process.NamespaceView.Route;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The interfaces, addresses and routes of the namespace, and a cache of lookups.
 *
 * <pre>
 *   address --local?--> lo
 *           --longest prefix--> route --gateway or on link--> Destination (cached until any change)
 * </pre>
 */
final class Routes {

  /** Cached lookups; when full the cache starts afresh, as it only saves work. */
  private static final int CACHE_LIMIT = 4096;

  private static final int LOCALHOST = 0x7f00_0001;

  /** The kernel's own limit is 2^31; a node never gets near this one. */
  private static final int MAX_IFINDEX = 1 << 20;

  private record Entry(Route route, NetDevice device, int mtu) {}

  /** By ifindex, which a node hands out from 1 on. */
  private @Nullable NetDevice[] devices = new @Nullable NetDevice[64];

  private final List<Entry> table = new ArrayList<>();

  /** All addresses of the namespace, ascending, and the broadcast addresses of its networks. */
  private int[] localAddresses = new int[0];

  private int[] broadcastAddresses = new int[0];
  private final NetDevice loopback;
  private @Nullable Ipv4Prefix localnet;

  /** Open addressing, keyed by address; sized for {@link #CACHE_LIMIT} at half load. */
  private @Nullable Destination[] cache = new @Nullable Destination[64];

  private int cached;
  private int generation = 1;

  Routes(NetDevice loopback) {
    this.loopback = loopback;
    devices[loopback.ifindex()] = loopback;
  }

  @Nullable NetDevice device(int ifindex) {
    return ifindex < 0 || ifindex >= devices.length ? null : devices[ifindex];
  }

  @Nullable NetDevice deviceByName(String name) {
    for (NetDevice device : devices()) {
      if (device.name().equals(name)) {
        return device;
      }
    }
    return null;
  }

  /** In the order of their indexes. */
  List<NetDevice> devices() {
    List<NetDevice> all = new ArrayList<>();
    for (NetDevice device : devices) {
      if (device != null) {
        all.add(device);
      }
    }
    return all;
  }

  void addDevice(NetDevice device) {
    int ifindex = device.ifindex();
    if (ifindex <= 0 || ifindex > MAX_IFINDEX) {
      throw new IllegalArgumentException(
          "ifindex " + ifindex + " is out of range: it must be 1 to " + MAX_IFINDEX);
    }
    if (device(ifindex) != null) {
      throw new IllegalArgumentException(
          "ifindex " + ifindex + " is taken in this namespace; remove it first");
    }
    if (ifindex >= devices.length) {
      devices = Arrays.copyOf(devices, Math.max(devices.length * 2, ifindex + 1));
    }
    devices[ifindex] = device;
    changed();
  }

  void removeDevice(int ifindex) {
    NetDevice device = device(ifindex);
    if (device == null || device == loopback) {
      throw new IllegalArgumentException("ifindex " + ifindex + " cannot be removed: no such link");
    }
    devices[ifindex] = null;
    table.removeIf(entry -> entry.device == device);
    changed();
  }

  void addAddress(NetDevice device, Ipv4Address address, int prefixLength) {
    Ipv4Prefix network = new Ipv4Prefix(address, prefixLength);
    device.addresses.removeIf(assigned -> assigned.address().equals(address));
    device.addresses.add(new NetDevice.Assigned(address, prefixLength));
    changed();
    if (prefixLength < 32 && device != loopback) {
      addRoute(new Route(network, null, device.name(), address, "link", "kernel"), device, 0);
    }
  }

  void removeAddress(NetDevice device, Ipv4Address address) {
    device.addresses.removeIf(assigned -> assigned.address().equals(address));
    table.removeIf(
        entry ->
            entry.device == device
                && entry.route.protocol().equals("kernel")
                && address.equals(entry.route.source()));
    changed();
  }

  void addRoute(Route route, NetDevice device, int mtu) {
    table.removeIf(entry -> entry.route.destination().equals(route.destination()));
    table.add(new Entry(route, device, mtu));
    table.sort(
        Comparator.comparingInt((Entry entry) -> entry.route.destination().length())
            .reversed()
            .thenComparing(entry -> entry.route.destination().address()));
    changed();
  }

  void removeRoute(Ipv4Prefix destination) {
    table.removeIf(entry -> entry.route.destination().equals(destination));
    changed();
  }

  /** As {@code ip route} lists them: the default route first, then by address. */
  List<Route> list() {
    return table.stream()
        .map(Entry::route)
        .sorted(
            Comparator.comparing((Route route) -> route.destination().address())
                .thenComparingInt(route -> route.destination().length()))
        .toList();
  }

  boolean isLocal(int address) {
    return Arrays.binarySearch(localAddresses, address) >= 0 || isLoopback(address);
  }

  /** Treats a part of 127.0.0.0/8 as a network like any other. */
  void routeLocalnet(Ipv4Prefix network) {
    localnet = network;
    changed();
  }

  /** Whether an address never leaves the host: 127.0.0.0/8, but for what is routed of it. */
  boolean isLoopback(int address) {
    Ipv4Prefix routed = localnet;
    return address >>> 24 == 127
        && (routed == null
            || address == LOCALHOST
            || (address & Ipv4Prefix.mask(routed.length())) != routed.address().value());
  }

  /** 255.255.255.255, or the broadcast address of a network that the namespace is on. */
  boolean isBroadcast(int address) {
    if (address == -1) {
      return true;
    }
    for (int broadcast : broadcastAddresses) {
      if (broadcast == address) {
        return true;
      }
    }
    return false;
  }

  static boolean isMulticast(int address) {
    return address >>> 28 == 0xe;
  }

  /** Whether {@code destination} still answers for the table as it is. */
  boolean isCurrent(Destination destination) {
    return destination.generation == generation;
  }

  /** How to reach {@code address}; null if there is no route. */
  @Nullable Destination lookup(int address) {
    int mask = cache.length - 1;
    int slot = hash(address) & mask;
    Destination known = cache[slot];
    while (known != null && known.address != address) {
      slot = (slot + 1) & mask;
      known = cache[slot];
    }
    if (known != null && known.generation == generation) {
      return known;
    }
    Destination found = resolve(address);
    if (found != null) {
      if (known != null) {
        found.inherit(known);
        cache[slot] = found;
      } else {
        insert(found);
      }
    }
    return found;
  }

  @Nullable Route routeTo(Ipv4Address destination) {
    int address = destination.value();
    if (isLocal(address)) {
      return new Route(
          new Ipv4Prefix(destination, 32),
          null,
          loopback.name(),
          new Ipv4Address(isLoopback(address) ? loopback.primaryAddress() : address),
          "host",
          "kernel");
    }
    Entry entry = longestPrefix(address);
    if (entry == null) {
      return null;
    }
    Route route = entry.route;
    return new Route(
        route.destination(),
        route.gateway(),
        route.device(),
        new Ipv4Address(sourceOf(entry)),
        route.scope(),
        route.protocol());
  }

  private @Nullable Destination resolve(int address) {
    if (isLocal(address)) {
      int source = isLoopback(address) ? loopback.primaryAddress() : address;
      return new Destination(address, loopback, true, false, address, source, 0, generation);
    }
    Entry entry = longestPrefix(address);
    if (entry == null) {
      return null;
    }
    Ipv4Address gateway = entry.route.gateway();
    boolean broadcast = isBroadcast(address);
    return new Destination(
        address,
        entry.device,
        false,
        broadcast,
        gateway == null || broadcast ? address : gateway.value(),
        sourceOf(entry),
        entry.mtu,
        generation);
  }

  private @Nullable Entry longestPrefix(int address) {
    for (int i = 0; i < table.size(); i++) {
      Entry entry = table.get(i);
      Ipv4Prefix prefix = entry.route.destination();
      if ((address & Ipv4Prefix.mask(prefix.length())) == prefix.address().value()) {
        return entry;
      }
    }
    return null;
  }

  /** The route's source, else the device's address, else any address of the namespace. */
  private int sourceOf(Entry entry) {
    Ipv4Address preferred = entry.route.source();
    if (preferred != null) {
      return preferred.value();
    }
    int source = entry.device.primaryAddress();
    if (source != 0) {
      return source;
    }
    for (NetDevice device : devices()) {
      if (!device.isLoopback() && device.primaryAddress() != 0) {
        return device.primaryAddress();
      }
    }
    return 0;
  }

  private void insert(Destination destination) {
    if (cached >= CACHE_LIMIT) {
      cache = new @Nullable Destination[64];
      cached = 0;
    }
    if (cached * 2 >= cache.length) {
      @Nullable Destination[] old = cache;
      cache = new @Nullable Destination[old.length * 2];
      for (Destination entry : old) {
        if (entry != null) {
          place(entry);
        }
      }
    }
    place(destination);
    cached++;
  }

  private void place(Destination destination) {
    int mask = cache.length - 1;
    int slot = hash(destination.address) & mask;
    while (cache[slot] != null) {
      slot = (slot + 1) & mask;
    }
    cache[slot] = destination;
  }

  private static int hash(int address) {
    int mixed = address * 0x9e3779b1;
    return mixed ^ mixed >>> 15;
  }

  private void changed() {
    generation++;
    List<NetDevice> all = devices();
    localAddresses =
        all.stream()
            .flatMap(device -> device.addresses.stream())
            .mapToInt(assigned -> assigned.address().value())
            .sorted()
            .toArray();
    broadcastAddresses =
        all.stream()
            .flatMap(device -> device.addresses.stream())
            .filter(NetDevice.Assigned::hasBroadcast)
            .mapToInt(NetDevice.Assigned::broadcast)
            .distinct()
            .toArray();
  }
}
