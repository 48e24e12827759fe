package dev.paramecium.apiserver.rest;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import java.nio.charset.StandardCharsets;

/** The two SPDY streams of one forwarded connection. */
record SpdyForwardedStreams(Channel channel, int data, int error) implements ForwardedStreams {

  @Override
  public void send(byte[] bytes, Runnable sent) {
    write(data, bytes, false).addListener(_ -> sent.run());
  }

  @Override
  public void end(String message) {
    var _ = write(error, message.getBytes(StandardCharsets.UTF_8), true);
    var _ = write(data, new byte[0], true);
  }

  private ChannelFuture write(int stream, byte[] bytes, boolean last) {
    SpdyDataFrame frame = new DefaultSpdyDataFrame(stream, Unpooled.wrappedBuffer(bytes));
    frame.setLast(last);
    return channel.writeAndFlush(frame);
  }
}
