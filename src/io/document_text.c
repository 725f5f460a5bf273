/* The text of a document. Its two long lists, variables and edges, are parsed some elements at a time: a parsed element
 * takes twenty times the memory of its text. The rest, with the two lists empty, is parsed as one.
 *
 * Nothing here judges the text: it finds where lists begin and end if the text is right, and jansson, which sees every
 * byte of it in one of the pieces, says whether it is. Where it is not, the whole text is parsed once more for the
 * position of the error. */
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "io/document.h"
#include "io/json.h"

enum { CHUNK_BYTES = 1 << 14 };

static int64_t skip_space(const char *text, int64_t bytes, int64_t i)
{
    while (i < bytes && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r')) i++;
    return i;
}

/* The position of the bracket that closes the one at text[i]; `bytes` where there is none. */
static int64_t find_close(const char *text, int64_t bytes, int64_t i)
{
    int64_t depth = 0;
    while (i < bytes) {
        char c = text[i];
        if (c == '"') {
            i = jc_json_skip_string(text, bytes, i);
            continue;
        }
        if (c == '[' || c == '{') depth++;
        if ((c == ']' || c == '}') && --depth == 0) return i;
        i++;
    }
    return bytes;
}

static jc_document_list *find_list(jc_document *doc, const char *key, int64_t bytes)
{
    for (int i = 0; i < JC_N_LISTS; i++) {
        jc_document_list *list = &doc->lists[i];
        if ((int64_t)strlen(list->key) == bytes && !memcmp(list->key, key, (size_t)bytes)) return list;
    }
    return NULL;
}

/* Behind a key that ends at text[i]: the position of the list that is its value, or `bytes`. */
static int64_t list_value(const char *text, int64_t bytes, int64_t i)
{
    i = skip_space(text, bytes, i);
    if (i == bytes || text[i] != ':') return bytes;
    i = skip_space(text, bytes, i + 1);
    return i < bytes && text[i] == '[' ? i : bytes;
}

/* Takes the list whose key is the string text[i .. end), if it is one of ours. Returns where to go on. */
static int64_t take_list(jc_document *doc, int64_t i, int64_t end)
{
    const char *text = doc->text;
    int64_t bytes = doc->text_bytes, open = list_value(text, bytes, end);
    jc_document_list *list = end - i >= 2 ? find_list(doc, text + i + 1, end - i - 2) : NULL;
    if (!list || list->text || open == bytes) return end;
    int64_t close = find_close(text, bytes, open);
    if (close == bytes) return bytes;
    list->text = text + open + 1;
    list->bytes = close - open - 1;
    return close + 1;
}

static void find_lists(jc_document *doc)
{
    const char *text = doc->text;
    int64_t bytes = doc->text_bytes, i = skip_space(text, bytes, 0);
    if (i == bytes || text[i] != '{') return;
    for (i++; i < bytes;) {
        if (text[i] == '"')
            i = take_list(doc, i, jc_json_skip_string(text, bytes, i));
        else if (text[i] == '[' || text[i] == '{')
            i = find_close(text, bytes, i) + 1;
        else
            i++;
    }
}

/* The whole text again, for the position of an error that is known to be there. */
static jc_status fail_syntax(const jc_document *doc, jc_status status)
{
    json_t *root = NULL;
    if (status != JC_E_INPUT) return status;
    status = jc_json_parse(&doc->graph->allocator, doc->text, doc->text_bytes, &root);
    json_decref(root);
    if (status == JC_E_INPUT && doc->single) return jc_fail_prefix(status, "jacchain of __metadata__, ");
    return status ? status : jc_fail(JC_E_INTERNAL, "the document's text was read in two ways");
}

/* The text without what its lists hold, in the order in which the lists stand. */
static jc_status write_frame(const jc_document *doc, jc_vec *frame)
{
    const char *text = doc->text, *end = text + doc->text_bytes;
    const jc_document_list *first = &doc->lists[0], *second = &doc->lists[1];
    if (!first->text || (second->text && second->text < first->text)) {
        first = second;
        second = &doc->lists[0];
    }
    for (const jc_document_list *list = first; list; list = list == first ? second : NULL) {
        if (!list->text) continue;
        jc_status status = jc_vec_append(&doc->graph->allocator, frame, text, list->text - text, "a document");
        if (status) return status;
        text = list->text + list->bytes;
    }
    return jc_vec_append(&doc->graph->allocator, frame, text, end - text, "a document");
}

jc_status jc_document_frame(jc_document *doc, json_t **root)
{
    const jc_allocator *a = &doc->graph->allocator;
    jc_vec frame = jc_vec_of(1);
    find_lists(doc);
    jc_status status = write_frame(doc, &frame);
    if (!status) {
        status = jc_json_parse(a, frame.data, frame.count, root);
        if (status) status = fail_syntax(doc, status);
    }
    jc_vec_free(a, &frame);
    return status;
}

/* Elements of a list from `from` on, about CHUNK_BYTES: returns where they end (a comma or the list's end). */
static int64_t find_chunk(const jc_document_list *list, int64_t from, int64_t *count)
{
    int64_t i = from;
    for (*count = 1; i < list->bytes; i++) {
        char c = list->text[i];
        if (c == '"')
            i = jc_json_skip_string(list->text, list->bytes, i) - 1;
        else if (c == '[' || c == '{')
            i = find_close(list->text, list->bytes, i);
        else if (c == ',' && i - from >= CHUNK_BYTES)
            return i;
        else if (c == ',')
            (*count)++;
    }
    return list->bytes;
}

/* chunk = the elements as a list of their own. A list between two commas that has nothing in it is an error. */
static jc_status parse_chunk(const jc_document *doc, const char *text, int64_t bytes, int64_t count, jc_vec *buffer,
                             json_t **chunk)
{
    const jc_allocator *a = &doc->graph->allocator;
    buffer->count = 0;
    jc_status status = jc_vec_append(a, buffer, "[", 1, "a document");
    if (!status) status = jc_vec_append(a, buffer, text, bytes, "a document");
    if (!status) status = jc_vec_append(a, buffer, "]", 1, "a document");
    if (!status) status = jc_json_parse(a, buffer->data, buffer->count, chunk);
    if (!status && (int64_t)json_array_size(*chunk) != count) status = JC_E_INPUT;
    return status ? fail_syntax(doc, status) : JC_OK;
}

static jc_status each_of(jc_document *doc, const char *key, const json_t *chunk, int64_t first, jc_document_take *take)
{
    for (size_t i = 0; i < json_array_size(chunk); i++) {
        jc_status status = take(doc, json_array_get(chunk, i));
        if (status) return jc_document_fail(doc, status, "/%s/%lld", key, (long long)first + (long long)i);
    }
    return JC_OK;
}

static jc_status each_of_text(jc_document *doc, const jc_document_list *list, jc_document_take *take)
{
    jc_vec buffer = jc_vec_of(1);
    jc_status status = JC_OK;
    if (skip_space(list->text, list->bytes, 0) == list->bytes) return JC_OK;
    for (int64_t from = 0, end, done = 0, count; from <= list->bytes && !status; from = end + 1, done += count) {
        json_t *chunk = NULL;
        end = find_chunk(list, from, &count);
        status = parse_chunk(doc, list->text + from, end - from, count, &buffer, &chunk);
        if (status)
            status = jc_document_fail(doc, status, "%s", "");
        else
            status = each_of(doc, list->key, chunk, done, take);
        json_decref(chunk);
    }
    jc_vec_free(&doc->graph->allocator, &buffer);
    return status;
}

jc_status jc_document_each(jc_document *doc, const char *key, const json_t *list, jc_document_take *take)
{
    const jc_document_list *text = find_list(doc, key, (int64_t)strlen(key));
    return text && text->text ? each_of_text(doc, text, take) : each_of(doc, key, list, 0, take);
}
