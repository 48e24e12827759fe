package dev.paramecium.policy.rule;

import java.util.Locale;
import java.util.Set;

/** The request names that a Kafka rule may have (Cilium {@code pkg/policy/api/kafka}). */
final class KafkaApiKeys {

  private static final Set<String> NAMES =
      Set.of(
          "produce",
          "fetch",
          "offsets",
          "metadata",
          "leaderandisr",
          "stopreplica",
          "updatemetadata",
          "controlledshutdown",
          "offsetcommit",
          "offsetfetch",
          "findcoordinator",
          "joingroup",
          "heartbeat",
          "leavegroup",
          "syncgroup",
          "describegroups",
          "listgroups",
          "saslhandshake",
          "apiversions",
          "createtopics",
          "deletetopics",
          "deleterecords",
          "initproducerid",
          "offsetforleaderepoch",
          "addpartitionstotxn",
          "addoffsetstotxn",
          "endtxn",
          "writetxnmarkers",
          "txnoffsetcommit",
          "describeacls",
          "createacls",
          "deleteacls",
          "describeconfigs",
          "alterconfigs");

  private KafkaApiKeys() {}

  static boolean contains(String name) {
    return NAMES.contains(name.toLowerCase(Locale.ROOT));
  }
}
