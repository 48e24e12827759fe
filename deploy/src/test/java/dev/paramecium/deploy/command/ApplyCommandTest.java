package dev.paramecium.deploy.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import org.junit.jupiter.api.Test;

class ApplyCommandTest {

  @Test
  void whatWasAppliedBeforeAndIsGoneNowBecomesNull() throws JsonProcessingException {
    ObjectNode patch =
        ApplyCommand.removalsAsNull(
            json("{'metadata':{'labels':{'a':'1','b':'2'}},'spec':{'x':1}}"),
            json("{'metadata':{'labels':{'b':'3'}}}"));

    assertThat(patch).isEqualTo(json("{'metadata':{'labels':{'b':'3','a':null}},'spec':null}"));
  }

  private static ObjectNode json(String text) throws JsonProcessingException {
    return (ObjectNode) ApiHttp.JSON.readTree(text.replace('\'', '"'));
  }
}
