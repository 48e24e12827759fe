package dev.paramecium.operator;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.identity.CiliumIdentities;
import dev.paramecium.identity.IdentityNumbers;
import dev.paramecium.identity.SecurityLabels;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Allocates and releases the CiliumIdentity of a label set so that no label set ever has two
 * numbers and no number two label sets, however many allocators run, stop between any two requests,
 * or go on after a pause (docs/adr/0004-identity-numbers.md).
 *
 * <pre>
 *   numbers of the set:   n0          n1            n2
 *                         another's   another's     free --create--> ours
 *                         mark passed mark passed
 *
 *   allocate: the first that is not another's. What is walked past is marked first, and what is
 *             marked is never deleted: no allocator can find it free later and stop there.
 *   release:  mark releasing, which fails if it was marked passed meanwhile; then delete that very
 *             object. What is releasing is neither used nor walked past, but waited for.
 * </pre>
 */
final class IdentityAllocation {

  /** How an attempt ended. */
  sealed interface Outcome {

    /** The label set has this identity. */
    record Allocated(KubeObject identity) implements Outcome {}

    /** Not yet: try again from the start. */
    record Later(String why) implements Outcome {}

    /** Every number is another label set's. */
    record Exhausted() implements Outcome {}
  }

  private final ApiClient api;

  IdentityAllocation(ApiClient api) {
    this.api = api;
  }

  CompletionStage<Outcome> allocate(SecurityLabels labels) {
    return walk(labels, new IdentityNumbers(labels.key()), 0);
  }

  private CompletionStage<Outcome> walk(
      SecurityLabels labels, IdentityNumbers numbers, int attempt) {
    if (attempt == IdentityNumbers.COUNT) {
      return CompletableFuture.completedFuture(new Outcome.Exhausted());
    }
    int number = numbers.candidate(attempt);
    return api.get(ResourceType.CILIUM_IDENTITY, "", Integer.toString(number))
        .thenCompose(
            reply ->
                switch (reply) {
                  case ApiReply.Stored(KubeObject holder, boolean _) ->
                      isOf(holder, labels) ? ours(holder) : pass(holder, labels, numbers, attempt);
                  case ApiReply.Failed failed when failed.code() == 404 ->
                      create(labels, numbers, attempt);
                  case ApiReply.Failed failed -> later(failed.message());
                  case ApiReply.Deleted _, ApiReply.Listed _ ->
                      later("an answer to another question");
                });
  }

  private static boolean isOf(KubeObject holder, SecurityLabels labels) {
    return CiliumIdentities.labels(holder).equals(labels);
  }

  private static CompletionStage<Outcome> ours(KubeObject holder) {
    return CiliumIdentities.isReleasing(holder)
        ? later("identity " + holder.name() + " is being released")
        : CompletableFuture.completedFuture(new Outcome.Allocated(holder));
  }

  private CompletionStage<Outcome> pass(
      KubeObject holder, SecurityLabels labels, IdentityNumbers numbers, int attempt) {
    if (CiliumIdentities.isReleasing(holder)) {
      return later("number " + holder.name() + " is being released");
    }
    if (CiliumIdentities.isPassed(holder)) {
      return walk(labels, numbers, attempt + 1);
    }
    return api.update(
            ResourceType.CILIUM_IDENTITY, CiliumIdentities.marked(holder, CiliumIdentities.PASSED))
        .thenCompose(
            reply ->
                switch (reply) {
                  case ApiReply.Stored _ -> walk(labels, numbers, attempt + 1);
                  case ApiReply.Failed failed when failed.code() == 409 || failed.code() == 404 ->
                      walk(labels, numbers, attempt); // it changed: look again
                  case ApiReply.Failed failed -> later(failed.message());
                  case ApiReply.Deleted _, ApiReply.Listed _ ->
                      later("an answer to another question");
                });
  }

  private CompletionStage<Outcome> create(
      SecurityLabels labels, IdentityNumbers numbers, int attempt) {
    return api.create(
            ResourceType.CILIUM_IDENTITY,
            CiliumIdentities.create(numbers.candidate(attempt), labels))
        .thenCompose(
            reply ->
                switch (reply) {
                  case ApiReply.Stored(KubeObject identity, boolean _) -> ours(identity);
                  case ApiReply.Failed failed when failed.code() == 409 ->
                      walk(labels, numbers, attempt); // somebody was faster: see who
                  case ApiReply.Failed failed -> later(failed.message());
                  case ApiReply.Deleted _, ApiReply.Listed _ ->
                      later("an answer to another question");
                });
  }

  private static CompletionStage<Outcome> later(String why) {
    return CompletableFuture.completedFuture(new Outcome.Later(why));
  }

  /**
   * Ends an identity that nobody uses.
   *
   * @param identity as it was last seen; if it has changed since, nothing happens
   * @return whether it is gone
   */
  CompletionStage<Boolean> release(KubeObject identity) {
    if (CiliumIdentities.isPassed(identity)) {
      return CompletableFuture.completedFuture(false);
    }
    if (CiliumIdentities.isReleasing(identity)) {
      return delete(identity);
    }
    return api.update(
            ResourceType.CILIUM_IDENTITY,
            CiliumIdentities.marked(identity, CiliumIdentities.RELEASING))
        .thenCompose(
            reply ->
                reply instanceof ApiReply.Stored(KubeObject marked, boolean _)
                    ? delete(marked)
                    : CompletableFuture.completedFuture(false));
  }

  private CompletionStage<Boolean> delete(KubeObject marked) {
    return api.delete(ResourceType.CILIUM_IDENTITY, "", marked.name(), 0, marked.uid())
        .thenApply(reply -> reply instanceof ApiReply.Deleted);
  }
}
