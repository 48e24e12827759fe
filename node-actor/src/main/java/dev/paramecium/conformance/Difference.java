package dev.paramecium.conformance;

/**
 * Where this datapath did something else.
 *
 * @param field as the vector calls it, with its place: {@code events[1].verdict}
 */
public record Difference(String field, String expected, String got) {

  /** {@code verdict: expected 7, got 2}. */
  @Override
  public String toString() {
    return field + ": expected " + expected + ", got " + got;
  }

  Difference within(String place) {
    return new Difference(place + field, expected, got);
  }
}
