package dev.paramecium.kernel;

import dev.paramecium.container.proxy.LogRecord;
import dev.paramecium.inspect.EventQueue;
import dev.paramecium.inspect.KernelView.Subscription;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** What the node's proxy tells of the messages that it saw, to everybody who listens now. */
final class AccessLog implements Consumer<LogRecord> {

  private final List<EventQueue<LogRecord>> readers = new CopyOnWriteArrayList<>();

  @Override
  public void accept(LogRecord message) {
    readers.forEach(reader -> reader.offer(message));
  }

  Subscription open(EventQueue<LogRecord> reader) {
    readers.add(reader);
    return () -> readers.remove(reader);
  }
}
