package dev.paramecium.container.process.net;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.SocketInfo;
import dev.paramecium.container.process.SocketInfo.Protocol;
import dev.paramecium.container.socket.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code ss -tulanpH} of iproute2, as it prints where there is no terminal. */
public final class Ss {

  private record Row(
      String netid,
      String state,
      String receiveQueue,
      String sendQueue,
      String local,
      String localPort,
      String peer,
      String peerPort) {}

  private static final Row HEADER =
      new Row(
          "Netid", "State", "Recv-Q", "Send-Q", "Local Address", ":Port", "Peer Address", ":Port");

  private Ss() {}

  /** Prints and answers the exit code. */
  public static int run(ProcessContext context) {
    Options options;
    try {
      options = Options.parse(context.argv().subList(1, context.argv().size()), "tulanpHeimo4");
    } catch (Options.InvalidOptionException e) {
      context.printError("ss: " + e.getMessage() + "\n");
      return 255;
    }
    boolean tcp = options.has('t');
    boolean udp = options.has('u');
    boolean both = tcp == udp;
    List<Row> rows = new ArrayList<>();
    for (Protocol protocol : List.of(Protocol.UDP, Protocol.TCP)) {
      for (SocketInfo socket : context.namespace().sockets()) {
        boolean wanted = both || (protocol == Protocol.TCP ? tcp : udp);
        boolean shown = options.has('a') || socket.isServer() == options.has('l');
        if (socket.protocol() == protocol && wanted && shown) {
          rows.add(row(socket));
        }
      }
    }
    context.print(table(rows, both, !options.has('H')));
    return 0;
  }

  private static Row row(SocketInfo socket) {
    SocketAddress local = socket.local();
    return new Row(
        socket.protocol().name().toLowerCase(Locale.ROOT),
        socket.state().ss(),
        Integer.toString(socket.receiveQueue()),
        Integer.toString(socket.sendQueue()),
        local.address().toString(),
        ":" + local.port(),
        address(socket.remote()),
        port(socket.remote()));
  }

  private static String address(@Nullable SocketAddress remote) {
    return remote == null ? "0.0.0.0" : remote.address().toString();
  }

  private static String port(@Nullable SocketAddress remote) {
    return remote == null ? ":*" : ":" + remote.port();
  }

  /** Each column is as wide as its widest cell; addresses end where their ports begin. */
  private static String table(List<Row> rows, boolean withNetid, boolean withHeader) {
    List<Row> all = new ArrayList<>(rows);
    if (withHeader) {
      all.addFirst(HEADER);
    }
    int[] width = new int[8];
    for (Row row : all) {
      int column = 0;
      for (String cell : cells(row)) {
        width[column] = Math.max(width[column], cell.length());
        column++;
      }
    }
    StringBuilder text = new StringBuilder();
    for (Row row : all) {
      if (withNetid) {
        text.append(left(row.netid(), width[0])).append(' ');
      }
      text.append(left(row.state(), width[1])).append(' ');
      text.append(left(row.receiveQueue(), width[2])).append(' ');
      text.append(left(row.sendQueue(), width[3])).append(' ');
      text.append(" ".repeat(width[4] - row.local().length())).append(row.local());
      text.append(left(row.localPort(), width[5])).append(' ');
      text.append(" ".repeat(width[6] - row.peer().length())).append(row.peer());
      text.append(left(row.peerPort(), width[7]));
      text.append(row.equals(HEADER) ? "Process\n" : "\n");
    }
    return text.toString();
  }

  private static List<String> cells(Row row) {
    return List.of(
        row.netid(),
        row.state(),
        row.receiveQueue(),
        row.sendQueue(),
        row.local(),
        row.localPort(),
        row.peer(),
        row.peerPort());
  }

  private static String left(String cell, int width) {
    return cell + " ".repeat(width - cell.length());
  }
}
