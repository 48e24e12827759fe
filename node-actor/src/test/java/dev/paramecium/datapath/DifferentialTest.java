package dev.paramecium.datapath;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.datapath.TwinNode.Outcome;
import dev.paramecium.datapath.TwinNode.Packet;
import dev.paramecium.datapath.TwinNode.Step;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/**
 * Random nodes, maps and stories of packets through the programs and through {@link
 * dev.paramecium.datapath.model.NodeModel}: after each packet the verdict, the packet, what was
 * told, and every entry of every map are the same. If not, the story is shortened to what the
 * difference needs, and told with its seed.
 */
class DifferentialTest {

  private static final int STEPS = 60;

  @Property(tries = 120, shrinking = ShrinkingMode.OFF)
  void programsAndModelAgree(@ForAll long seed) {
    RandomStory story = new RandomStory(seed);
    List<Step> steps = new ArrayList<>();
    try (TwinNode node = story.node()) {
      for (int i = 0; i < STEPS; i++) {
        Step step = story.next();
        steps.add(step);
        Outcome outcome = node.run(step);
        if (outcome != null && !outcome.differences().isEmpty()) {
          assertThat(shortened(seed, steps)).isEmpty();
        }
        if (outcome != null && step instanceof Packet packet) {
          story.saw(packet, outcome);
        }
      }
    }
  }

  /** In what the last step differs, or an empty list. */
  private static List<String> differences(long seed, List<Step> steps) {
    RandomStory story = new RandomStory(seed);
    List<String> last = List.of();
    try (TwinNode node = story.node()) {
      for (Step step : steps) {
        Outcome outcome = node.run(step);
        last = outcome == null ? List.of() : outcome.differences();
      }
    }
    return last;
  }

  /** Leaves out every step without which the last one still differs. */
  private static String shortened(long seed, List<Step> steps) {
    List<Step> needed = new ArrayList<>(steps);
    for (int i = needed.size() - 2; i >= 0; i--) {
      List<Step> fewer = new ArrayList<>(needed);
      fewer.remove(i);
      if (!differences(seed, fewer).isEmpty()) {
        needed = fewer;
      }
    }
    StringBuilder text = new StringBuilder("seed " + seed + ", " + new RandomStory(seed).config);
    needed.forEach(step -> text.append("\n  ").append(step));
    differences(seed, needed).forEach(each -> text.append("\n  → ").append(each));
    return text.toString();
  }
}
