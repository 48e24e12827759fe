package dev.paramecium.bpf;

/**
 * What every map is created with ({@code union bpf_attr}, BPF_MAP_CREATE); none of it ever changes.
 */
abstract class AttributedMap implements BpfMap {

  final int id;
  final String name;
  final int keySize;
  final int valueSize;
  final int maxEntries;
  private final Type type;

  AttributedMap(int id, String name, Type type, int keySize, int valueSize, int maxEntries) {
    this.id = id;
    this.name = name;
    this.type = type;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.maxEntries = maxEntries;
  }

  @Override
  public final int id() {
    return id;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Type type() {
    return type;
  }

  @Override
  public final int keySize() {
    return keySize;
  }

  @Override
  public final int valueSize() {
    return valueSize;
  }

  @Override
  public final int maxEntries() {
    return maxEntries;
  }
}
