package dev.paramecium.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.apiserver.access.Attributes;
import dev.paramecium.apiserver.access.User;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestAttributesTest {

  private static Attributes of(String method, String uri) throws BadRequest {
    return RequestAttributes.of(
        RestRequest.of(
            new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1, HttpMethod.valueOf(method), uri, Unpooled.EMPTY_BUFFER),
            User.UNSECURED));
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /api/v1/pods, list",
    "GET, /api/v1/pods?watch=true, watch",
    "GET, /api/v1/namespaces/x/pods/p, get",
    // Answered with the one object, whatever the query says: whoever may only watch may not.
    "GET, /api/v1/namespaces/x/pods/p?watch=true, get",
    "HEAD, /api/v1/namespaces/x/pods/p, get",
    "GET, /api/v1/namespaces/x/pods/p/log, get",
    "POST, /api/v1/namespaces/x/pods, create",
    "PUT, /api/v1/namespaces/x/pods/p, update",
    "PATCH, /api/v1/namespaces/x/pods/p, patch",
    "DELETE, /api/v1/namespaces/x/pods/p, delete",
    "DELETE, /api/v1/namespaces/x/pods, deletecollection"
  })
  void aVerbIsWhatTheRequestDoes(String method, String uri, String verb) throws BadRequest {
    assertThat(of(method, uri).verb()).isEqualTo(verb);
  }

  @Test
  void aResourceIsNamedByItsPath() throws BadRequest {
    assertThat(of("GET", "/apis/apps/v1/namespaces/x/deployments/d/scale"))
        .isEqualTo(
            new Attributes(
                "get",
                "apps",
                "deployments",
                "scale",
                "x",
                "d",
                "/apis/apps/v1/namespaces/x/deployments/d/scale"));
    assertThat(of("GET", "/openapi/v3")).isEqualTo(Attributes.ofPath("get", "/openapi/v3"));
  }
}
