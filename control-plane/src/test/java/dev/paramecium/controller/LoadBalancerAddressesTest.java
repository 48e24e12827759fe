package dev.paramecium.controller;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

final class LoadBalancerAddressesTest {

  /** With .1 and .2 to give. */
  private static final String TWO = "172.18.255.0/30";

  private static World world(String pool) {
    return world(pool, new Random(1));
  }

  private static World world(String pool, Random random) {
    return new World(random, List.of(new LoadBalancerAddresses(Ipv4Prefix.parse(pool))));
  }

  private static KubeObject service(World world, String name, String spec) {
    return world.put(
        World.object(
            """
            {apiVersion: v1, kind: Service, metadata: {name: %s, namespace: default},
             spec: {%s}, status: {loadBalancer: {}}}
            """
                .formatted(name, spec)));
  }

  private static void balancer(World world, String... names) {
    for (String name : names) {
      service(world, name, "type: LoadBalancer");
    }
  }

  private static void wanting(World world, String name, String address) {
    service(world, name, "type: LoadBalancer, loadBalancerIP: '" + address + "'");
  }

  private static KubeObject get(World world, String name) {
    return world.cache.get(ResourceType.SERVICE, "default", name);
  }

  /** Empty for none. */
  private static String address(World world, String name) {
    return get(world, name).text("/status/loadBalancer/ingress/0/ip");
  }

  private static String reason(World world, String name) {
    return get(world, name).text("/status/conditions/0/reason");
  }

  private static void change(World world, String name, String field, String value) {
    KubeObject changed = get(world, name).copy();
    changed.json().withObject("/spec").put(field, value);
    world.put(changed);
  }

  private static void setAddress(World world, String name, String address) {
    KubeObject changed = get(world, name).copy();
    ObjectNode balancer = changed.json().withObject("/status/loadBalancer");
    balancer.putArray("ingress").addObject().put("ip", address);
    world.put(changed);
  }

  @Test
  void givesEachLoadBalancerAnAddressOfItsOwnAndOthersNone() {
    World world = world("172.18.255.0/24");
    balancer(world, "one", "two");
    service(world, "inner", "type: ClusterIP");
    world.settle();
    assertThat(address(world, "one")).isEqualTo("172.18.255.1");
    assertThat(address(world, "two")).isEqualTo("172.18.255.2");
    assertThat(address(world, "inner")).isEmpty();
    assertThat(reason(world, "one")).isEqualTo("satisfied");
    assertThat(world.events)
        .containsExactlyInAnyOrder(
            "IPAllocated: Assigned IP \"172.18.255.1\"",
            "IPAllocated: Assigned IP \"172.18.255.2\"");
  }

  @Test
  void givesTheAddressThatIsWantedBeforeAnyOtherServiceGetsIt() {
    World world = world(TWO);
    balancer(world, "any");
    wanting(world, "certain", "172.18.255.1");
    world.settle();
    assertThat(address(world, "certain")).isEqualTo("172.18.255.1");
    assertThat(address(world, "any")).isEqualTo("172.18.255.2");
    change(world, "any", "loadBalancerIP", "172.18.255.2");
    world.events.clear();
    world.settle();
    assertThat(world.events).as("it has what it now wants").isEmpty();
  }

  @Test
  void saysOnceWhyAWantedAddressIsNotPossible() {
    World world = world(TWO);
    wanting(world, "first", "172.18.255.1");
    wanting(world, "second", "172.18.255.1");
    wanting(world, "outside", "10.0.0.1");
    wanting(world, "broadcast", "172.18.255.3");
    wanting(world, "nonsense", "100%s");
    world.settle();
    assertThat(world.events)
        .containsExactlyInAnyOrder(
            "IPAllocated: Assigned IP \"172.18.255.1\"",
            "AllocationFailed: Failed to allocate IP for \"default/second\":"
                + " 172.18.255.1 is default/first's",
            "AllocationFailed: Failed to allocate IP for \"default/outside\":"
                + " \"10.0.0.1\" is not one of the pool's addresses, 172.18.255.1 to 172.18.255.2",
            "AllocationFailed: Failed to allocate IP for \"default/broadcast\": \"172.18.255.3\""
                + " is not one of the pool's addresses, 172.18.255.1 to 172.18.255.2",
            "AllocationFailed: Failed to allocate IP for \"default/nonsense\":"
                + " \"100%s\" is not one of the pool's addresses, 172.18.255.1 to 172.18.255.2");
    assertThat(address(world, "second")).isEmpty();
    assertThat(reason(world, "second")).isEqualTo("already_allocated");
    assertThat(reason(world, "outside")).isEqualTo("no_pool");
    world.delete(ResourceType.SERVICE, get(world, "first"));
    world.settle();
    assertThat(address(world, "second")).isEqualTo("172.18.255.1");
  }

  @Test
  void whoFoundThePoolEmptyGetsWhatIsReleasedByDeletionOrAnotherType() {
    World world = world(TWO);
    balancer(world, "one", "two", "three", "four");
    world.settle();
    assertThat(reason(world, "three")).isEqualTo("out_of_ips");
    assertThat(world.events)
        .contains(
            "AllocationFailed: Failed to allocate IP for \"default/three\":"
                + " all addresses of the pool, 172.18.255.1 to 172.18.255.2, are taken");
    world.delete(ResourceType.SERVICE, get(world, "one"));
    world.settle();
    assertThat(address(world, "three")).isEqualTo("172.18.255.1");
    change(world, "two", "type", "ClusterIP");
    assertThat(world.step()).isTrue();
    assertThat(address(world, "two")).isEmpty();
    assertThat(address(world, "four")).as("not before two's status is without it").isEmpty();
    world.settle();
    assertThat(address(world, "four")).isEqualTo("172.18.255.2");
    assertThat(get(world, "two").at("/status/conditions").isMissingNode()).isTrue();
  }

  @Test
  void anotherWishMovesAServiceAndAnImpossibleOneTakesItsAddress() {
    World world = world(TWO);
    balancer(world, "one");
    world.settle();
    change(world, "one", "loadBalancerIP", "172.18.255.2");
    world.settle();
    assertThat(address(world, "one")).isEqualTo("172.18.255.2");
    change(world, "one", "loadBalancerIP", "10.0.0.1");
    world.settle();
    assertThat(address(world, "one")).isEmpty();
  }

  @Test
  void leavesAServiceOfAnotherClassAloneAndItsAddressToIt() {
    World world = world(TWO);
    service(world, "foreign", "type: LoadBalancer, loadBalancerClass: example.com/other");
    setAddress(world, "foreign", "172.18.255.1");
    balancer(world, "ours");
    world.settle();
    assertThat(address(world, "foreign")).isEqualTo("172.18.255.1");
    assertThat(get(world, "foreign").at("/status/conditions").isMissingNode()).isTrue();
    assertThat(address(world, "ours")).isEqualTo("172.18.255.2");
  }

  @Test
  void ofTwoServicesWithOneAddressTheOlderKeepsIt() {
    World world = world(TWO);
    balancer(world, "younger-by-name", "older-by-name");
    setAddress(world, "younger-by-name", "172.18.255.2");
    setAddress(world, "older-by-name", "172.18.255.2");
    world.settle();
    assertThat(address(world, "younger-by-name")).isEqualTo("172.18.255.2");
    assertThat(address(world, "older-by-name")).isEqualTo("172.18.255.1");
  }

  @Test
  void aPoolOfOneAddressGivesIt() {
    World world = world("172.18.255.7/32");
    balancer(world, "one");
    world.settle();
    assertThat(address(world, "one")).isEqualTo("172.18.255.7");
  }

  @Test
  void twoChangedServicesArePlannedAsOne() {
    World world = world(TWO);
    balancer(world, "one", "two");
    LoadBalancerAddresses addresses = new LoadBalancerAddresses(Ipv4Prefix.parse(TWO));
    assertThat(addresses.concerned(get(world, "one"), world.cache))
        .isEqualTo(addresses.concerned(get(world, "two"), world.cache))
        .hasSize(1);
    assertThat(addresses.plan(new Reconciler.Key("", ""), world.cache, Instant.EPOCH).writes())
        .hasSize(2);
  }

  @Property(tries = 100)
  void noAddressIsEverGivenTwice(@ForAll long seed) {
    Random random = new Random(seed);
    World world = world("172.18.255.0/29", random);
    for (int i = 0; i < 100; i++) {
      String name = "service-" + random.nextInt(10);
      KubeObject service = get(world, name);
      if (service == null) {
        balancer(world, name);
      } else {
        switch (random.nextInt(4)) {
          case 0 -> world.delete(ResourceType.SERVICE, service);
          case 1 -> change(world, name, "type", random.nextBoolean() ? "NodePort" : "LoadBalancer");
          case 2 -> change(world, name, "loadBalancerIP", "172.18.255." + (1 + random.nextInt(6)));
          default -> change(world, name, "loadBalancerIP", "");
        }
      }
      if (random.nextBoolean()) {
        world.step();
        assertThat(addresses(world)).doesNotHaveDuplicates();
      }
    }
    world.settle();
    assertThat(addresses(world)).doesNotHaveDuplicates();
    long wanting =
        world.cache.all(ResourceType.SERVICE).stream()
            .filter(service -> service.text("/spec/type").equals("LoadBalancer"))
            .filter(service -> service.text("/spec/loadBalancerIP").isEmpty())
            .count();
    assertThat(addresses(world)).hasSizeGreaterThanOrEqualTo((int) Math.min(wanting, 6));
  }

  private static List<String> addresses(World world) {
    return world.cache.all(ResourceType.SERVICE).stream()
        .map(service -> service.text("/status/loadBalancer/ingress/0/ip"))
        .filter(address -> !address.isEmpty())
        .toList();
  }
}
