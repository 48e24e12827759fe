package dev.paramecium.chaos;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** What one kind of experiment does to a target, by somebody who has the means for it. */
interface Action {

  /** The kind of experiment. */
  ResourceType type();

  /** Whether the target is this actor's to act on; others leave it alone. */
  boolean isMine(Experiment.Record record);

  /** Whether what was done ends with this process, and has to be done again by the next one. */
  boolean endsWithThisProcess();

  /**
   * Begins the fault; again without harm. Fails with a message that names value, rule and fix.
   *
   * @param id of the record
   */
  CompletionStage<Done> inject(KubeObject chaos, String id);

  /** Ends the fault, or what is there of it: everything is as before. */
  CompletionStage<Done> recover(KubeObject chaos, String id);
}
