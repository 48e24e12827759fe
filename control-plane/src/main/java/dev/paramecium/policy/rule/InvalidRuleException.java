package dev.paramecium.policy.rule;

/** A policy that the agent refuses. The message is the agent's: field, value, what is allowed. */
public final class InvalidRuleException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public InvalidRuleException(String message) {
    super(message);
  }
}
