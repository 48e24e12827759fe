package dev.paramecium.apiserver.rest;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;

/** A response whose body is sent in pieces. */
final class ChunkedBody implements ResponseStream {

  private final ChannelHandlerContext context;

  private ChunkedBody(ChannelHandlerContext context) {
    this.context = context;
  }

  static ChunkedBody start(ChannelHandlerContext context, String contentType) {
    RestHandler.becomeStream(context);
    HttpResponse response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, contentType)
        .set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED)
        .set(HttpHeaderNames.CACHE_CONTROL, "no-cache, private")
        // The connection ends with the stream; a client that is not told would use it again.
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    var _ = context.writeAndFlush(response);
    return new ChunkedBody(context);
  }

  @Override
  public void send(byte[] bytes, Runnable sent) {
    context
        .writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(bytes)))
        .addListener(
            written -> {
              if (written.isSuccess()) {
                sent.run();
              }
            });
  }

  @Override
  public void end() {
    context
        .writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT)
        .addListener(ChannelFutureListener.CLOSE);
  }

  /** Whether the socket's buffer has room. */
  boolean hasRoom() {
    return context.channel().isWritable();
  }

  @Override
  public void onClose(Runnable task) {
    context.channel().closeFuture().addListener(_ -> task.run());
  }
}
