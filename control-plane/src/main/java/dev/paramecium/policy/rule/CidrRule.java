package dev.paramecium.policy.rule;

import java.util.ArrayList;
import java.util.List;

/** {@code cidrSet}: a block without some blocks in it, as written. */
public record CidrRule(String cidr, List<String> except) {

  public CidrRule {
    except = List.copyOf(except);
  }

  /** The blocks that are left; what cannot be read is left out, as deny rules are not validated. */
  public List<Cidr> blocks() {
    Cidr block = Cidr.parse(cidr);
    if (block == null) {
      return List.of();
    }
    List<Cidr> holes = new ArrayList<>();
    for (String text : except) {
      Cidr hole = Cidr.parse(text);
      if (hole != null) {
        holes.add(hole);
      }
    }
    return Cidr.subtract(block, holes);
  }
}
