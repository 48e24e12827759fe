package dev.paramecium.kernel;

import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.container.NetworkNamespace;
import dev.paramecium.container.proxy.DnsAnswers;
import dev.paramecium.container.proxy.LogRecord;
import dev.paramecium.container.proxy.ProxyHost;
import dev.paramecium.map.Ipcache;
import dev.paramecium.syscall.DnsAnswer;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/**
 * The proxy in the agent's process: it lives as long as the agent that configures it. Used by the
 * kernel's actor only.
 */
final class ProxyProcess {

  /** {@code tofqdns-proxy-response-max-delay}: an answer waits no longer for the agent. */
  private static final Duration RESPONSE_MAX_DELAY = Duration.ofMillis(100);

  private final ActorRef<NetworkNamespace.Command> namespace;
  private final Ipcache ipcache;
  private final Consumer<LogRecord> log;
  private final ActorSystem<?> system;
  private volatile @Nullable ActorRef<DnsAnswer> agent;

  ProxyProcess(
      ActorRef<NetworkNamespace.Command> namespace,
      Ipcache ipcache,
      Consumer<LogRecord> log,
      ActorSystem<?> system) {
    this.namespace = namespace;
    this.ipcache = ipcache;
    this.log = log;
    this.system = system;
  }

  void configure(Syscall.ConfigureProxy configure) {
    agent = configure.agent();
    namespace.tell(
        new NetworkNamespace.ConfigureProxy(configure.config(), host(), configure.replyTo()));
  }

  /** Its agent is gone, perhaps. */
  void ended(ActorRef<?> actor) {
    if (actor.equals(agent)) {
      agent = null;
      namespace.tell(
          new NetworkNamespace.ConfigureProxy(ProxyConfig.NONE, host(), system.ignoreRef()));
    }
  }

  private ProxyHost host() {
    return new ProxyHost(this::identity, log, this::heard);
  }

  private int identity(int address) {
    LpmTrie.Entry entry = ipcache.lookup(address);
    int known = entry == null ? 0 : Ipcache.securityIdentity(entry);
    return known == 0 ? ReservedIdentity.WORLD.id() : known;
  }

  /** On the namespace's thread. */
  private void heard(DnsAnswers.Answer answer, Runnable released) {
    ActorRef<DnsAnswer> learner = agent;
    if (learner == null) {
      released.run();
      return;
    }
    AskPattern.<DnsAnswer, Done>ask(
            learner,
            replyTo ->
                new DnsAnswer(
                    answer.endpointId(), answer.name(), answer.addresses(), answer.ttl(), replyTo),
            RESPONSE_MAX_DELAY,
            system.scheduler())
        .whenComplete((_, _) -> released.run());
  }
}
