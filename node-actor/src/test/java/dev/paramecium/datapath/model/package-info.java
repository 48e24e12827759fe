/**
 * What v1.12.3's datapath does, written down as plainly as it can be: hash maps of records, a byte
 * array a packet, one method for each step of the C source, nothing shared with the programs but
 * the records of {@code abi} and what is compiled into a node.
 *
 * <pre>
 *   NodeModel: from-container policy to-container from-overlay to-overlay from-netdev to-netdev from-host to-host
 *      | LxcModel  OverlayModel  NetdevModel  HostModel     bpf_lxc.c bpf_overlay.c bpf_host.c
 *      | NodePortModel                                      lib/nodeport.h
 *      | ConntrackModel PolicyModel ServiceModel NatModel   lib/{conntrack,policy,lb,nat}.h
 *      | EventModel                                         lib/{trace,drop,policy_log,metrics}.h
 *   MapState, Frame
 * </pre>
 *
 * The golden vectors judge the model ({@code ModelConformanceTest}), and the model judges the
 * programs in whatever chance comes up with ({@code DifferentialTest}). Start at {@link
 * dev.paramecium.datapath.model.NodeModel}.
 */
@NullMarked
package dev.paramecium.datapath.model;

import org.jspecify.annotations.NullMarked;
