package dev.paramecium.apiserver.rest;

import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lists that are read page by page ({@code limit}, {@code continue}): the rest of a list is kept as
 * it was when its first page was read, so all pages are of one moment. Only the newest lists are
 * kept; a token for another is answered with 410, and the client lists again.
 */
final class Continuations {

  private static final int KEPT = 64;

  private final Map<Long, ApiReply.Listed> lists =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, ApiReply.Listed> eldest) {
          return size() > KEPT;
        }
      };

  private long number;

  /**
   * One page.
   *
   * @param token for the next page, empty after the last
   * @param remaining how many objects are on the pages to come
   */
  record Page(List<KubeObject> objects, long resourceVersion, String token, int remaining) {}

  /** The first page of a list; all of it if {@code limit} is 0. */
  synchronized Page first(ApiReply.Listed list, long limit) {
    return page(list, 0, limit, ++number);
  }

  /**
   * A later page.
   *
   * @throws BadRequest 400 if the token is none of ours, 410 if its list is no longer kept
   */
  synchronized Page next(String token, long limit) throws BadRequest {
    String[] parts;
    long id;
    int from;
    try {
      parts =
          new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII).split("/");
      id = Long.parseLong(parts[0]);
      from = Integer.parseInt(parts[1]);
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      throw new BadRequest(400, "BadRequest", "continue key is not valid: \"" + token + "\"");
    }
    ApiReply.Listed list = lists.get(id);
    if (list == null || from < 0 || from > list.objects().size()) {
      throw new BadRequest(
          410,
          "Expired",
          "The provided continue parameter is too old to display a consistent list result. You can"
              + " start a new list without the continue parameter.");
    }
    return page(list, from, limit, id);
  }

  private Page page(ApiReply.Listed list, int from, long limit, long id) {
    int size = list.objects().size();
    int to = limit <= 0 ? size : (int) Math.min(size, from + limit);
    if (to == size) {
      lists.remove(id);
      return new Page(list.objects().subList(from, to), list.resourceVersion(), "", 0);
    }
    lists.put(id, list);
    String token =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString((id + "/" + to).getBytes(StandardCharsets.US_ASCII));
    return new Page(list.objects().subList(from, to), list.resourceVersion(), token, size - to);
  }
}
