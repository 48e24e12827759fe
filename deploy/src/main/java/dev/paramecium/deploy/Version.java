package dev.paramecium.deploy;

/** Which Paramecium this is: the members of a cluster must all be the same. */
public final class Version {

  /** The release, as the build's pom.xml has it. */
  public static final String NUMBER = "0.1.0";

  private Version() {}
}
