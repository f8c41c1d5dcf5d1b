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

/// Checks the escapes of a string. nullptr when right, else the offending place. Rows of reports are full of escaped quotes, a few
/// bytes apart: eight bytes are looked at together.
static const uint8_t *bad_escape(const uint8_t *p, const uint8_t *end) {
    const uint64_t ones = 0x0101010101010101u, lows = 0x7F7F7F7F7F7F7F7Fu;
    while (p < end) {
        if (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, 8);
            word ^= ones * '\\';
            // The high bit of every byte that was a backslash.
            const uint64_t found = ~(((word & lows) + lows) | word | lows);
            if (!found) {
                p += 8;
                continue;
            }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            p += __builtin_ctzll(found) >> 3;
#else
            p += __builtin_clzll(found) >> 3;
#endif
        } else if (*p != '\\') {
            p++;
            continue;
        }
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
    const uint32_t *index = stage.structural_indexes.get();
    const uint32_t total = stage.n_structural_indexes;
    if (!reserve(json, total)) return IDF_JSON_MEMORY;
    idf_token *const tokens = json->tokens;
    uint32_t count = 0;
    uint32_t depth = 0;
    // Few strings hold a backslash: the next one is looked for ahead, once for many strings.
    auto backslash_from = [&](const uint8_t *start) {
        const void *found = memchr(start, '\\', length - size_t(start - text));
        return found ? static_cast<const uint8_t *>(found) : text + length;
    };
    const uint8_t *backslash = backslash_from(text);
    auto escaped = [&](uint32_t start, uint32_t end) __attribute__((always_inline)) {
        if (__builtin_expect(backslash >= text + end, 1)) return false;
        if (backslash < text + start) backslash = backslash_from(text + start);
        return backslash < text + end;
    };
    uint32_t i = 0, at = 0, end = 0;
    uint8_t c = 0, flags = 0;
#define FAIL(code, place) do { json->error_offset = (place); return (code); } while (0)
#define NEXT() do { if (i >= total) FAIL(IDF_JSON_SYNTAX, length); at = index[i++]; c = text[at]; } while (0)
    // The value or name at `at` ends where the next structural character stands, but for white space.
#define SCALAR_END() do { \
        end = i < total ? index[i] : uint32_t(length); \
        while (end > at + 1 && is_space(text[end - 1])) end--; \
    } while (0)
#define STRING() do { \
        SCALAR_END(); \
        if (end <= at + 1 || text[end - 1] != '"') FAIL(IDF_JSON_SYNTAX, at); \
        flags = escaped(at, end); \
        if (flags) if (const uint8_t *bad = bad_escape(text + at + 1, text + end - 1)) FAIL(IDF_JSON_ESCAPE, size_t(bad - text)); \
    } while (0)

    NEXT();
value:
    switch (c) {
    case '"':
        STRING();
        tokens[count] = {at, end, count + 1, '"', flags, uint16_t(depth)};
        break;
    case '{':
    case '[':
        if (depth >= limit_depth) FAIL(IDF_JSON_DEPTH, at);
        tokens[count] = {at, 0, 0, c, 0, uint16_t(depth)};
        open[depth++] = count++;
        NEXT();
        if (c == (tokens[open[depth - 1]].kind == '{' ? '}' : ']')) goto close;
        if (tokens[open[depth - 1]].kind == '{') goto name;
        goto value;
    default:
        SCALAR_END();
        flags = 0;
        if (c == '-' || is_digit(c)) {
            if (number_end(text + at, text + end, &flags) != text + end) FAIL(IDF_JSON_NUMBER, at);
            tokens[count] = {at, end, count + 1, '0', flags, uint16_t(depth)};
        } else {
            const char *word = c == 't' ? "true" : c == 'f' ? "false" : c == 'n' ? "null" : nullptr;
            if (!word || end - at != strlen(word) || memcmp(text + at, word, end - at)) FAIL(IDF_JSON_SYNTAX, at);
            tokens[count] = {at, end, count + 1, c, 0, uint16_t(depth)};
        }
    }
    count++;
after_value:
    if (depth == 0) {
        if (i < total) FAIL(IDF_JSON_TRAILING, index[i]);
        json->count = count;
        return IDF_JSON_OK;
    }
    NEXT();
    if (tokens[open[depth - 1]].kind == '{') {
        if (c == '}') goto close;
        if (c != ',') FAIL(IDF_JSON_SYNTAX, at);
        NEXT();
        goto name;
    }
    if (c == ']') goto close;
    if (c != ',') FAIL(IDF_JSON_SYNTAX, at);
    NEXT();
    goto value;
name:
    if (c != '"') FAIL(IDF_JSON_SYNTAX, at);
    STRING();
    tokens[count] = {at, end, count + 1, 'k', flags, uint16_t(depth)};
    count++;
    NEXT();
    if (c != ':') FAIL(IDF_JSON_SYNTAX, at);
    NEXT();
    goto value;
close:
    depth--;
    tokens[open[depth]].end = at + 1;
    tokens[open[depth]].next = count;
    goto after_value;
#undef STRING
#undef SCALAR_END
#undef NEXT
#undef FAIL
}
}
