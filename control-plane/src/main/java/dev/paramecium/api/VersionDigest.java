package dev.paramecium.api;

/**
 * Which versions of which objects somebody has, in one number: no two versions of anything share a
 * resourceVersion, so the sum over a set of objects tells sets apart, whatever order they came in.
 * Both sides of a comparison must mean the same kind.
 */
public final class VersionDigest {

  private VersionDigest() {}

  /** What an object of this version adds to the digest of a set. */
  public static long of(long resourceVersion) {
    long mixed = (resourceVersion ^ (resourceVersion >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return mixed ^ (mixed >>> 31);
  }
}
