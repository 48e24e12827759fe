package dev.paramecium.policy.rule;

/** What a Kafka request must be (Cilium {@code pkg/policy/api/kafka}); empty is any. */
public record KafkaRule(
    String role, String apiKey, String apiVersion, String clientId, String topic) {

  /** The rule that every request fulfils. */
  public static final KafkaRule ANY = new KafkaRule("", "", "", "", "");
}
