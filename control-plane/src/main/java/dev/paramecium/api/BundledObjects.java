package dev.paramecium.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Objects that come with the program, as YAML beside a class. */
public final class BundledObjects {

  private static final ObjectMapper JSON = new ObjectMapper();

  private BundledObjects() {}

  /**
   * All objects of a file.
   *
   * @param name as {@link Class#getResourceAsStream} takes it
   */
  public static List<KubeObject> read(Class<?> near, String name) {
    try (InputStream in = near.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not in the jar");
      }
      List<KubeObject> objects = new ArrayList<>();
      for (Object document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(in)) {
        objects.add(new KubeObject(JSON.valueToTree(document)));
      }
      return objects;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
