// simdjson finds the structure of the text and checks its UTF-8 (stage 1); this walker checks the grammar
// and writes flat tokens with source positions, which simdjson's own tape does not keep.
#include "CSimdJSON.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <simdjson.h>

using namespace simdjson;

struct idf_json {
    dom::parser parser;
    idf_token *tokens = nullptr;
    size_t count = 0, capacity = 0, error_offset = 0;
    ~idf_json() { free(tokens); }
};

static inline bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
static inline bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static inline bool is_hex(uint8_t c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Room for as many tokens as the text can have.
static bool reserve(idf_json *json, size_t wanted) {
    if (wanted <= json->capacity) return true;
    size_t capacity = wanted + wanted / 4;
    free(json->tokens);
    json->tokens = static_cast<idf_token *>(malloc(capacity * sizeof(idf_token)));
    json->capacity = json->tokens ? capacity : 0;
    return json->tokens != nullptr;
}

/// One past the end of the number at `p`, or nullptr.
static const uint8_t *number_end(const uint8_t *p, const uint8_t *limit, uint8_t *flags) {
    if (p < limit && *p == '-') p++;
    if (p >= limit || !is_digit(*p)) return nullptr;
    if (*p == '0') p++;
    else while (p < limit && is_digit(*p)) p++;
    if (p < limit && *p == '.') {
        *flags = 1;
        p++;
        if (p >= limit || !is_digit(*p)) return nullptr;
        while (p < limit && is_digit(*p)) p++;
    }
    if (p < limit && (*p == 'e' || *p == 'E')) {
        *flags = 1;
        p++;
        if (p < limit && (*p == '+' || *p == '-')) p++;
        if (p >= limit || !is_digit(*p)) return nullptr;
        while (p < limit && is_digit(*p)) p++;
    }
    return p;
}

/// Whether the byte may follow a backslash: "\\/bfnrt, without u.
static inline bool is_escape(uint8_t c) {
    switch (c) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return true;
    default: return false;
    }
}

/// The length of the escape at the backslash `p`, 0 when it is none; surrogates must come in pairs.
static inline size_t escape_length(const uint8_t *p, const uint8_t *end) {
    if (p + 1 >= end) return 0;
    if (__builtin_expect(p[1] != 'u', 1)) return is_escape(p[1]) ? 2 : 0;
    auto unit = [&](const uint8_t *q) -> long {
        if (end - q < 6 || q[0] != '\\' || q[1] != 'u' || !is_hex(q[2]) || !is_hex(q[3]) || !is_hex(q[4]) || !is_hex(q[5])) return -1;
        char digits[5] = {char(q[2]), char(q[3]), char(q[4]), char(q[5]), 0};
        return strtol(digits, nullptr, 16);
    };
    const long value = unit(p);
    if (value < 0 || (value >= 0xDC00 && value <= 0xDFFF)) return 0;
    if (value < 0xD800 || value > 0xDBFF) return 6;
    const long low = unit(p + 6);
    return low >= 0xDC00 && low <= 0xDFFF ? 12 : 0;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

static inline bytes16 load(const uint8_t *p) {
    bytes16 bytes;
    memcpy(&bytes, p, sizeof bytes);
    return bytes;
}

/// Checks the escapes of a string. nullptr when right, else the offending place. Rows of reports are full of escaped quotes, a few
/// bytes apart: sixteen bytes are looked at together, and are done where a quote follows every backslash.
static const uint8_t *bad_escape(const uint8_t *p, const uint8_t *end) {
    while (p < end) {
        if (end - p > 16) {
            const auto others = (load(p) == '\\') & (load(p + 1) != '"');
            uint64_t halves[2];
            memcpy(halves, &others, sizeof halves);
            if (!(halves[0] | halves[1])) {
                p += 16;
                continue;
            }
        }
        p = static_cast<const uint8_t *>(memchr(p, '\\', size_t(end - p)));
        if (!p) return nullptr;
        const size_t length = escape_length(p, end);
        if (!length) return p;
        p += length;
    }
    return nullptr;
}

extern "C" {

idf_json *idf_json_create(void) { return new (std::nothrow) idf_json(); }
void idf_json_destroy(idf_json *json) { delete json; }
const idf_token *idf_json_tokens(const idf_json *json) { return json->tokens; }
size_t idf_json_count(const idf_json *json) { return json->count; }
size_t idf_json_error_offset(const idf_json *json) { return json->error_offset; }

int idf_json_parse(idf_json *json, const uint8_t *text, size_t length, uint32_t max_depth) {
    const uint32_t limit_depth = max_depth < 256 ? max_depth : 256;
    uint32_t open[256];
    json->count = 0;
    json->error_offset = 0;
    if (length >= 0xFFFFFFF0u) return IDF_JSON_TOO_LONG;
    if (length == 0) return IDF_JSON_EMPTY;
    if (json->parser.capacity() < length && json->parser.allocate(length + length / 4, 16) != SUCCESS) return IDF_JSON_MEMORY;
    auto &stage = *json->parser.implementation;
    switch (stage.stage1(text, length, stage1_mode::regular)) {
    case SUCCESS: break;
    case EMPTY: return IDF_JSON_EMPTY;
    case UTF8_ERROR: return IDF_JSON_UTF8;
    case UNCLOSED_STRING: return IDF_JSON_UNCLOSED_STRING;
    case UNESCAPED_CHARS: return IDF_JSON_CONTROL_CHARACTER;
    default: return IDF_JSON_SYNTAX;
    }
    const uint32_t *next = stage.structural_indexes.get();
    const uint32_t *const last = next + stage.n_structural_indexes;
    if (!reserve(json, stage.n_structural_indexes)) return IDF_JSON_MEMORY;
    idf_token *const tokens = json->tokens;
    uint32_t count = 0;
    uint32_t depth = 0;
    // Few strings hold a backslash: the next one is looked for ahead, once for many strings.
    auto backslash_from = [&](size_t start) {
        const void *found = memchr(text + start, '\\', length - start);
        return found ? size_t(static_cast<const uint8_t *>(found) - text) : length;
    };
    size_t backslash = backslash_from(0);
    uint32_t at = 0, end = 0;
    uint8_t c = 0;
    // Whether the innermost open container is an object.
    bool has_names = false;
#define FAIL(code, place) do { json->error_offset = (place); return (code); } while (0)
#define NEXT() do { if (next == last) FAIL(IDF_JSON_SYNTAX, length); at = *next++; c = text[at]; } while (0)
    // The value or name at `at` ends where the next structural character stands, but for white space.
#define SCALAR_END() do { \
        end = next < last ? *next : uint32_t(length); \
        while (end > at + 1 && is_space(text[end - 1])) end--; \
    } while (0)
#define STRING(kind) do { \
        end = next < last ? *next : uint32_t(length); \
        if (__builtin_expect(end <= at + 1 || text[end - 1] != '"', 0)) { \
            SCALAR_END(); \
            if (end <= at + 1 || text[end - 1] != '"') FAIL(IDF_JSON_SYNTAX, at); \
        } \
        uint8_t flags = 0; \
        if (__builtin_expect(backslash < end, 0)) { \
            if (backslash < at) backslash = backslash_from(at); \
            flags = backslash < end; \
            if (flags) if (const uint8_t *bad = bad_escape(text + at + 1, text + end - 1)) FAIL(IDF_JSON_ESCAPE, size_t(bad - text)); \
        } \
        tokens[count] = {at, end, count + 1, kind, flags}; \
        count++; \
    } while (0)

    NEXT();
    goto value;
name:
    if (c != '"') FAIL(IDF_JSON_SYNTAX, at);
    STRING('k');
    NEXT();
    if (c != ':') FAIL(IDF_JSON_SYNTAX, at);
    NEXT();
value:
    if (c == '"') {
        STRING('"');
    } else if (c == '{' || c == '[') {
        if (depth >= limit_depth) FAIL(IDF_JSON_DEPTH, at);
        has_names = c == '{';
        tokens[count] = {at, 0, 0, c, 0};
        open[depth++] = count++;
        NEXT();
        if (c == (has_names ? '}' : ']')) goto close;
        if (has_names) goto name;
        goto value;
    } else {
        SCALAR_END();
        uint8_t flags = 0;
        if (c == '-' || is_digit(c)) {
            if (number_end(text + at, text + end, &flags) != text + end) FAIL(IDF_JSON_NUMBER, at);
            tokens[count] = {at, end, count + 1, '0', flags};
        } else {
            const char *word = c == 't' ? "true" : c == 'f' ? "false" : c == 'n' ? "null" : nullptr;
            if (!word || end - at != strlen(word) || memcmp(text + at, word, end - at)) FAIL(IDF_JSON_SYNTAX, at);
            tokens[count] = {at, end, count + 1, c, 0};
        }
        count++;
    }
after_value:
    if (depth == 0) {
        if (next < last) FAIL(IDF_JSON_TRAILING, *next);
        json->count = count;
        return IDF_JSON_OK;
    }
    NEXT();
    if (c == ',') {
        NEXT();
        if (has_names) goto name;
        goto value;
    }
    if (c != (has_names ? '}' : ']')) FAIL(IDF_JSON_SYNTAX, at);
close:
    depth--;
    tokens[open[depth]].end = at + 1;
    tokens[open[depth]].next = count;
    if (depth > 0) has_names = tokens[open[depth - 1]].kind == '{';
    goto after_value;
#undef STRING
#undef SCALAR_END
#undef NEXT
#undef FAIL
}
}
