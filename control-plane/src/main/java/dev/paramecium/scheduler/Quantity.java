package dev.paramecium.scheduler;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;

/** Kubernetes' numbers with units ({@code apimachinery/pkg/api/resource}). */
public final class Quantity {

  private static final Map<String, BigDecimal> SUFFIXES =
      Map.ofEntries(
          Map.entry("n", new BigDecimal("1e-9")),
          Map.entry("u", new BigDecimal("1e-6")),
          Map.entry("m", new BigDecimal("1e-3")),
          Map.entry("k", new BigDecimal("1e3")),
          Map.entry("M", new BigDecimal("1e6")),
          Map.entry("G", new BigDecimal("1e9")),
          Map.entry("T", new BigDecimal("1e12")),
          Map.entry("P", new BigDecimal("1e15")),
          Map.entry("E", new BigDecimal("1e18")),
          Map.entry("Ki", BigDecimal.TWO.pow(10)),
          Map.entry("Mi", BigDecimal.TWO.pow(20)),
          Map.entry("Gi", BigDecimal.TWO.pow(30)),
          Map.entry("Ti", BigDecimal.TWO.pow(40)),
          Map.entry("Pi", BigDecimal.TWO.pow(50)),
          Map.entry("Ei", BigDecimal.TWO.pow(60)));

  private static final BigDecimal MAX = BigDecimal.valueOf(Long.MAX_VALUE);

  private Quantity() {}

  /** Thousandths, rounded up, at most {@link Long#MAX_VALUE}; 0 for what is no quantity. */
  public static long milli(String text) {
    return ceiling(parse(text).movePointRight(3));
  }

  /** Whole units, rounded up, at most {@link Long#MAX_VALUE}; 0 for what is no quantity. */
  public static long value(String text) {
    return ceiling(parse(text));
  }

  private static long ceiling(BigDecimal number) {
    return number.min(MAX).setScale(0, RoundingMode.CEILING).longValue();
  }

  private static BigDecimal parse(String text) {
    int end = text.length();
    while (end > 0 && Character.isLetter(text.charAt(end - 1))) {
      end--;
    }
    BigDecimal factor = SUFFIXES.getOrDefault(text.substring(end), BigDecimal.ONE);
    try {
      return new BigDecimal(text.substring(0, end)).multiply(factor);
    } catch (NumberFormatException _) {
      return BigDecimal
          .ZERO; // the API server refuses such a pod; a node's own word may be anything
    }
  }
}
