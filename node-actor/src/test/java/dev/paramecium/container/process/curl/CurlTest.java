package dev.paramecium.container.process.curl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Run;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class CurlTest {

  private VirtualNetwork network;
  private VirtualNetwork.Host client;
  private VirtualNetwork.Host server;

  @BeforeEach
  void twoHosts() {
    network = new VirtualNetwork();
    client = network.host("curl", 1, "curlimages/curl");
    server = network.host("httpbin", 2, "kennethreitz/httpbin");
    server.serve();
  }

  @Test
  void printsWhatHttpbinAnswers() {
    Run run = client.run("curl", "-s", "http://10.0.0.2/get?a=1&a=2&b=x%20y");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            {
              "args": {,
                "a": [,
                  "1",,
                  "2"
                ],,
                "b": "x y"
              },,
              "headers": {,
                "Accept": "*/*",,
                "Host": "10.0.0.2",,
                "User-Agent": "curl/8.5.0"
              },,
              "origin": "10.0.0.1",,
              "url": "http://10.0.0.2/get?a=1&a=2&b=x%20y"
            }
            """
                .replace(",,", ", ")
                .replace("{,", "{")
                .replace("[,", "["));
  }
}
