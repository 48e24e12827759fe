/**
 * Headers on the wire: for each protocol where its fields are, a view that reads and rewrites them
 * in place, and a value that cannot be invalid.
 *
 * <pre>
 *   | Ethernet [Vlan] | Ipv4 | Udp | Vxlan | Ethernet | Ipv4 | Tcp | payload |
 *                       Arp    Icmp                      FlowHash, Checksum
 *
 *   bytes --View.wrap: one check of lengths--> fields (no accessor fails) --> rewritten in place
 *   value --encode--> bytes with right lengths and checksums
 * </pre>
 *
 * A view is a flyweight: make one, wrap it around packet after packet. Start at {@link
 * dev.paramecium.packet.Ipv4}.
 */
@NullMarked
package dev.paramecium.packet;

import org.jspecify.annotations.NullMarked;
