package dev.paramecium.kubelet;

import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.receptionist.Receptionist;

/** The kubelets that are registered now. */
public final class Kubelets {

  private Kubelets() {}

  /** Tells the actor of {@code context}, once, which there are. */
  public static <C> void find(
      ActorContext<C> context, Function<Set<ActorRef<KubeletRequest>>, C> found) {
    ActorRef<Receptionist.Listing> listings =
        context.messageAdapter(
            Receptionist.Listing.class,
            listing -> found.apply(listing.getServiceInstances(KubeletRequest.ALL)));
    context.getSystem().receptionist().tell(Receptionist.find(KubeletRequest.ALL, listings));
  }
}
