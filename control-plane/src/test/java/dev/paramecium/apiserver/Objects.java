package dev.paramecium.apiserver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;

/** Objects for tests, written with single quotes. */
final class Objects {

  private static final ObjectMapper JSON = new ObjectMapper();

  private Objects() {}

  static ObjectNode json(String text) {
    try {
      return (ObjectNode) JSON.readTree(text.replace('\'', '"'));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  static KubeObject object(String text) {
    return new KubeObject(json(text));
  }

  static KubeObject pod(String name, String label) {
    return object(
        "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'%s','namespace':'default','labels':{'app':'%s'}},'spec':{'containers':[{'name':'c','image':'busybox:1.36'}]}}"
            .formatted(name, label));
  }
}
