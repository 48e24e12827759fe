package dev.paramecium.apiserver.access;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** Who may do what. Called on the connections' threads: it never waits. */
interface Authorizer {

  /** Everybody may do everything. */
  Authorizer EVERYTHING =
      new Authorizer() {
        private static final List<Rule> ALL =
            List.of(
                new Rule(List.of("*"), List.of("*"), List.of("*"), List.of(), List.of()),
                new Rule(List.of("*"), List.of(), List.of(), List.of(), List.of("*")));

        @Override
        public boolean allows(User user, Attributes wanted) {
          return true;
        }

        @Override
        public List<Rule> rules(User user, String namespace) {
          return ALL;
        }

        @Override
        public List<Rule> rulesOf(JsonNode roleRef, String namespace) {
          return ALL;
        }
      };

  boolean allows(User user, Attributes wanted);

  /** All rules that hold for a user in a namespace, the cluster's among them. */
  List<Rule> rules(User user, String namespace);

  /** The rules of the role that a binding refers to; none if there is no such role. */
  List<Rule> rulesOf(JsonNode roleRef, String namespace);
}
