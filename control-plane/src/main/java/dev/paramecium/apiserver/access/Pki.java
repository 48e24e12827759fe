package dev.paramecium.apiserver.access;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * The API server's keys and certificates, in a folder, as kubeadm names them: {@code ca.crt},
 * {@code ca.key}, {@code apiserver.crt|key}, {@code admin.crt|key} (CN kubernetes-admin, O
 * system:masters) and {@code sa.key}, {@code sa.crt}, which signs tokens. What is there is kept;
 * the server's certificate is made anew when it lacks a name or will not last another month. Keys
 * are P-256, the administrator's RSA, which every client reads, in files of their owner alone.
 */
public final class Pki {

  private static final int RSA_BITS = 2048;
  private static final Duration CA_LIFE = Duration.ofDays(3650);
  private static final Duration LIFE = Duration.ofDays(365);
  private static final Duration SPARE = Duration.ofDays(30);

  /** Clocks differ: a certificate holds from a little before it was made. */
  private static final Duration SKEW = Duration.ofMinutes(5);

  private final Path folder;
  private final Instant now;
  private final Entry ca;
  private final Entry server;
  private final Entry admin;
  private final Entry tokens;

  private record Entry(X509Certificate certificate, PrivateKey key) {}

  /**
   * Opens or makes them.
   *
   * @param names addresses and DNS names that clients may use for the server, beside those that
   *     every server has
   * @throws IOException if the folder cannot be written, or holds something else
   */
  public static Pki open(Path folder, Set<String> names, InstantSource clock) throws IOException {
    try {
      Files.createDirectories(folder);
      return new Pki(folder, names, clock.instant());
    } catch (GeneralSecurityException | OperatorCreationException e) {
      throw new IOException(
          "the certificates in "
              + folder
              + " cannot be used ("
              + e.getMessage()
              + "): remove the folder, and they are made anew",
          e);
    }
  }

  private Pki(Path folder, Set<String> names, Instant now)
      throws IOException, GeneralSecurityException, OperatorCreationException {
    this.folder = folder;
    this.now = now;
    Set<String> all = new TreeSet<>(names);
    all.addAll(
        List.of(
            "127.0.0.1",
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "10.96.0.1"));
    Entry kept = load("ca");
    this.ca = kept != null ? kept : store("ca", authority());
    Entry before = kept == null ? null : load("apiserver");
    this.server =
        before != null && lasts(before) && hasNames(before, all)
            ? before
            : store(
                "apiserver",
                signed(
                    ellipticKeys(),
                    name("kube-apiserver", ""),
                    all,
                    KeyPurposeId.id_kp_serverAuth));
    Entry administrator = kept == null ? null : load("admin");
    this.admin =
        administrator != null && lasts(administrator)
            ? administrator
            : store(
                "admin",
                signed(
                    rsaKeys(),
                    name("kubernetes-admin", User.MASTERS),
                    Set.of(),
                    KeyPurposeId.id_kp_clientAuth));
    Entry signer = load("sa");
    this.tokens =
        signer != null
            ? signer
            : store(
                "sa",
                signed(
                    ellipticKeys(),
                    name("service-accounts", ""),
                    Set.of(),
                    KeyPurposeId.id_kp_clientAuth));
  }

  private boolean lasts(Entry entry) {
    return entry.certificate().getNotAfter().toInstant().isAfter(now.plus(SPARE));
  }

  private static boolean hasNames(Entry entry, Set<String> names) throws GeneralSecurityException {
    Set<String> there = new TreeSet<>();
    var alternatives = entry.certificate().getSubjectAlternativeNames();
    if (alternatives != null) {
      alternatives.forEach(name -> there.add(String.valueOf(name.get(1))));
    }
    return there.containsAll(names);
  }

  // ---- making

  private static X500Name name(String commonName, String organization) {
    X500NameBuilder name = new X500NameBuilder();
    if (!organization.isEmpty()) {
      name.addRDN(BCStyle.O, organization);
    }
    return name.addRDN(BCStyle.CN, commonName).build();
  }

  private static KeyPair ellipticKeys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }

  /** fabric8's client takes every PKCS #8 key for one of these. */
  private static KeyPair rsaKeys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(RSA_BITS);
    return generator.generateKeyPair();
  }

  private JcaX509v3CertificateBuilder builder(
      X500Name issuer, X500Name subject, KeyPair keys, Duration life) {
    return new JcaX509v3CertificateBuilder(
        issuer,
        new BigInteger(127, new SecureRandom()),
        Date.from(now.minus(SKEW)),
        Date.from(now.plus(life)),
        subject,
        keys.getPublic());
  }

  private Entry authority()
      throws CertIOException, GeneralSecurityException, OperatorCreationException {
    KeyPair keys = ellipticKeys();
    X500Name subject = name("kubernetes", "");
    JcaX509v3CertificateBuilder builder = builder(subject, subject, keys, CA_LIFE);
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    builder.addExtension(
        Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.digitalSignature));
    return entry(builder, keys.getPrivate(), keys.getPrivate());
  }

  private Entry signed(KeyPair keys, X500Name subject, Set<String> names, KeyPurposeId purpose)
      throws IOException, GeneralSecurityException, OperatorCreationException {
    X500Name issuer = X500Name.getInstance(ca.certificate().getSubjectX500Principal().getEncoded());
    JcaX509v3CertificateBuilder builder = builder(issuer, subject, keys, LIFE);
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
    builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
    if (!names.isEmpty()) {
      GeneralName[] alternatives =
          names.stream()
              .map(
                  name ->
                      new GeneralName(
                          isAddress(name) ? GeneralName.iPAddress : GeneralName.dNSName, name))
              .toArray(GeneralName[]::new);
      builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(alternatives));
    }
    return entry(builder, keys.getPrivate(), ca.key());
  }

  private static boolean isAddress(String name) {
    try {
      var _ = InetAddress.ofLiteral(name);
      return true;
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private static Entry entry(JcaX509v3CertificateBuilder builder, PrivateKey key, PrivateKey by)
      throws GeneralSecurityException, OperatorCreationException {
    return new Entry(
        new JcaX509CertificateConverter()
            .getCertificate(
                builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(by))),
        key);
  }

  // ---- files

  private Entry store(String name, Entry entry) throws IOException, GeneralSecurityException {
    Path key = folder.resolve(name + ".key");
    Files.deleteIfExists(key);
    Files.createFile(
        key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(key, pem("PRIVATE KEY", entry.key().getEncoded()));
    Files.writeString(
        folder.resolve(name + ".crt"), pem("CERTIFICATE", entry.certificate().getEncoded()));
    return entry;
  }

  private @org.jspecify.annotations.Nullable Entry load(String name)
      throws IOException, GeneralSecurityException {
    Path certificate = folder.resolve(name + ".crt");
    Path key = folder.resolve(name + ".key");
    if (!Files.exists(certificate) || !Files.exists(key)) {
      return null;
    }
    try (var in = Files.newInputStream(certificate)) {
      X509Certificate read =
          (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
      return new Entry(
          read,
          KeyFactory.getInstance(read.getPublicKey().getAlgorithm())
              .generatePrivate(new PKCS8EncodedKeySpec(bytes(Files.readString(key)))));
    } catch (IllegalArgumentException e) {
      throw new GeneralSecurityException(key + " is not in PEM", e);
    }
  }

  private static String pem(String type, byte[] der) {
    return "-----BEGIN "
        + type
        + "-----\n"
        + Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(der)
        + "\n-----END "
        + type
        + "-----\n";
  }

  private static byte[] bytes(String pem) {
    return Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
  }

  // ---- use

  /** What the server speaks TLS with: a client's certificate is welcome, and not required. */
  SslContext forServer() throws IOException {
    return SslContextBuilder.forServer(server.key(), server.certificate())
        .sslProvider(SslProvider.JDK)
        .trustManager(ca.certificate())
        .clientAuth(ClientAuth.OPTIONAL)
        .applicationProtocolConfig(
            new ApplicationProtocolConfig(
                ApplicationProtocolConfig.Protocol.ALPN,
                ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                ApplicationProtocolNames.HTTP_1_1))
        .build();
  }

  /** What the administrator's client speaks TLS with. */
  public SSLContext forAdministrator() throws IOException {
    try {
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("ca", ca.certificate());
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      KeyStore own = KeyStore.getInstance("PKCS12");
      own.load(null, null);
      own.setKeyEntry(
          "admin", admin.key(), new char[0], new X509Certificate[] {admin.certificate()});
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, new char[0]);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  PrivateKey tokenKey() {
    return tokens.key();
  }

  X509Certificate tokenCertificate() {
    return tokens.certificate();
  }

  /** A file's content in base64, as a kubeconfig has it: {@code ca.crt}, {@code admin.key}, …. */
  public String data(String file) throws IOException {
    return Base64.getEncoder().encodeToString(Files.readAllBytes(folder.resolve(file)));
  }
}
