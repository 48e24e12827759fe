package dev.paramecium.apiserver.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServiceAccountTokensTest {

  private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");

  @TempDir private Path folder;

  private static KubeObject account(String uid) {
    return TestCluster.object(
        """
        {"kind":"ServiceAccount","metadata":{"name":"bob","namespace":"ci","uid":"%s"}}
        """
            .formatted(uid));
  }

  private ServiceAccountTokens tokens(Path pki, KubeObject account, Instant at) throws IOException {
    return new ServiceAccountTokens(
        Pki.open(pki, Set.of(), InstantSource.fixed(at)),
        AccessCache.of(Map.of(ResourceType.SERVICE_ACCOUNT, List.of(account))),
        InstantSource.fixed(at));
  }

  @Test
  void aTokenIsItsAccountsUntilItEnds() throws IOException {
    String token =
        tokens(folder, account("u1"), NOW).issue(account("u1"), List.of(), NOW.plusSeconds(600));
    assertThat(tokens(folder, account("u1"), NOW.plusSeconds(599)).verify(token))
        .hasValueSatisfying(
            user -> {
              assertThat(user.name()).isEqualTo("system:serviceaccount:ci:bob");
              assertThat(user.groups())
                  .containsExactly(
                      "system:serviceaccounts",
                      "system:serviceaccounts:ci",
                      "system:authenticated");
            });
    assertThat(tokens(folder, account("u1"), NOW.plusSeconds(600)).verify(token)).isEmpty();
    assertThat(tokens(folder, account("u2"), NOW).verify(token)).as("a successor").isEmpty();
  }

  @Test
  void whatIsForOthersOrOfOthersIsNobodys() throws IOException {
    ServiceAccountTokens tokens = tokens(folder, account("u1"), NOW);
    Instant end = NOW.plusSeconds(600);
    assertThat(tokens.verify(tokens.issue(account("u1"), List.of("vault"), end))).isEmpty();
    String foreign =
        tokens(folder.resolve("other"), account("u1"), NOW).issue(account("u1"), List.of(), end);
    assertThat(tokens.verify(foreign)).isEmpty();
    String token = tokens.issue(account("u1"), List.of(), end);
    String[] parts = token.split("\\.", -1);
    assertThat(tokens.verify(parts[0] + "." + parts[1] + ".")).isEmpty();
    assertThat(tokens.verify(parts[0] + "." + parts[1] + "x." + parts[2])).isEmpty();
    for (String garbage : List.of("", ".", "..", "a.b.c", "%.%.%", "a.b.c.d", "é.é.é")) {
      assertThat(tokens.verify(garbage)).as(garbage).isEmpty();
    }
  }

  @Test
  void keysAreKeptAndOnlyTheirOwnersRead() throws IOException {
    Pki first = Pki.open(folder, Set.of("10.0.0.9"), InstantSource.fixed(NOW));
    Pki second = Pki.open(folder, Set.of("10.0.0.9"), InstantSource.fixed(NOW.plusSeconds(60)));
    assertThat(second.data("apiserver.crt")).isEqualTo(first.data("apiserver.crt"));
    String before = first.data("apiserver.crt");
    String authority = first.data("ca.crt");
    Pki more = Pki.open(folder, Set.of("example.org"), InstantSource.fixed(NOW));
    assertThat(more.data("apiserver.crt")).as("another name").isNotEqualTo(before);
    assertThat(more.data("ca.crt")).isEqualTo(authority);
    for (String name : List.of("ca", "apiserver", "admin", "sa")) {
      assertThat(Files.getPosixFilePermissions(folder.resolve(name + ".key")))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
    Files.writeString(folder.resolve("ca.key"), "what is this");
    assertThatThrownBy(() -> Pki.open(folder, Set.of(), InstantSource.fixed(NOW)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("remove the folder");
  }
}
