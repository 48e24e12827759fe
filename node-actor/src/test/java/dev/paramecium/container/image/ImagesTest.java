package dev.paramecium.container.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.syscall.ContainerSpec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ImagesTest {

  @ParameterizedTest
  @CsvSource({
    "nginx, nginx",
    "nginx:1.25, nginx",
    "docker.io/library/nginx:1.25@sha256:abc, nginx",
    "curlimages/curl, curlimages/curl",
    "docker.io/curlimages/curl:8.5.0, curlimages/curl",
    "registry.local:5000/kennethreitz/httpbin, kennethreitz/httpbin",
    "registry.k8s.io/e2e-test-images/agnhost:2.40, agnhost",
    "registry.k8s.io/pause:3.9, pause",
    "localhost:5000/pause, pause",
    "example.org/team/shop:v2, team/shop",
  })
  void findsAnImageWhateverItsRegistryTagAndDigest(String image, String repository) {
    assertThat(Images.repository(image)).isEqualTo(repository);
  }

  private static ContainerSpec spec(String image, List<String> command, List<String> args) {
    return new ContainerSpec("c", "n", "default/p", "c", image, command, args, Map.of(), List.of());
  }

  private static List<String> line(String image, List<String> command, List<String> args) {
    ContainerSpec spec = spec(image, command, args);
    return Images.find(spec).commandLine(spec);
  }

  @Test
  void commandReplacesTheEntrypointAndArgsItsArguments() {
    assertThat(line("agnhost", List.of(), List.of())).containsExactly("/agnhost", "pause");
    assertThat(line("agnhost", List.of(), List.of("netexec")))
        .containsExactly("/agnhost", "netexec");
    assertThat(line("agnhost", List.of("sleep"), List.of("1"))).containsExactly("sleep", "1");
    assertThat(line("curlimages/curl", List.of("sleep", "365d"), List.of()))
        .containsExactly("sleep", "365d");
  }

  @Test
  void pauseHasNothingElseInPath() {
    assertThat(
            Images.find(spec("registry.k8s.io/pause:3.9", List.of(), List.of()))
                .path(Images.tools()))
        .containsOnlyKeys("pause");
  }

  @Test
  void anUnknownImageRunsItsOwnCommandAsTheStandIn() {
    ContainerSpec spec = spec("shop", List.of("/app/server", "--port=1"), List.of());

    assertThat(Images.find(spec).path(Map.of())).containsKeys("server", "sleep");
    assertThat(Images.find(spec).note()).contains("shop is not known").contains("no port");
  }
}
