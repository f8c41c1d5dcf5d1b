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

/// The next backslash from `p` on, or nullptr. Rows of reports are full of escaped quotes, a few bytes apart: too near for memchr.
static inline const uint8_t *next_backslash(const uint8_t *p, const uint8_t *end) {
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (int step = 0; step < 4 && end - p >= 8; step++, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= ones * '\\';
        if ((word - ones) & ~word & highs) break;
    }
    for (int step = 0; step < 8 && p < end; step++, p++)
        if (*p == '\\') return p;
    return p < end ? static_cast<const uint8_t *>(memchr(p, '\\', end - p)) : nullptr;
}

/// Checks the escapes of a string; surrogates must come in pairs. nullptr when right, else the offending place.
static const uint8_t *bad_escape(const uint8_t *p, const uint8_t *end) {
    auto unit = [](const uint8_t *q) {
        char digits[5] = {char(q[0]), char(q[1]), char(q[2]), char(q[3]), 0};
        return strtoul(digits, nullptr, 16);
    };
    while ((p = next_backslash(p, end))) {
        if (p + 1 >= end) return p;
        if (p[1] != 'u') {
            if (!memchr("\"\\/bfnrt", p[1], 8)) return p;
            p += 2;
            continue;
        }
        if (end - p < 6 || !is_hex(p[2]) || !is_hex(p[3]) || !is_hex(p[4]) || !is_hex(p[5])) return p;
        unsigned long value = unit(p + 2);
        if (value >= 0xDC00 && value <= 0xDFFF) return p;
        if (value >= 0xD800 && value <= 0xDBFF) {
            if (end - p < 12 || p[6] != '\\' || p[7] != 'u' || !is_hex(p[8]) || !is_hex(p[9]) || !is_hex(p[10]) || !is_hex(p[11]))
                return p;
            unsigned long low = unit(p + 8);
            if (low < 0xDC00 || low > 0xDFFF) return p;
            p += 6;
        }
        p += 6;
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
    enum Expect { VALUE, VALUE_OR_END, NAME, NAME_OR_END, COLON, COMMA_OR_END };
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
    Expect expect = VALUE;
    bool done = false;
#define FAIL(code, place) do { json->error_offset = (place); return (code); } while (0)
    for (uint32_t i = 0; i < total; i++) {
        const uint32_t at = index[i];
        const uint32_t following = i + 1 < total ? index[i + 1] : uint32_t(length);
        const uint8_t c = text[at];
        if (done) FAIL(IDF_JSON_TRAILING, at);
        switch (expect) {
        case COLON:
            if (c != ':') FAIL(IDF_JSON_SYNTAX, at);
            expect = VALUE;
            continue;
        case COMMA_OR_END: {
            idf_token &container = tokens[open[depth - 1]];
            if (c == ',') { expect = container.kind == '{' ? NAME : VALUE; continue; }
            if (c != (container.kind == '{' ? '}' : ']')) FAIL(IDF_JSON_SYNTAX, at);
            break;
        }
        case NAME_OR_END:
            if (c == '}') break;
            [[fallthrough]];
        case NAME: {
            if (c != '"') FAIL(IDF_JSON_SYNTAX, at);
            uint32_t end = following;
            while (end > at + 1 && is_space(text[end - 1])) end--;
            if (end <= at + 1 || text[end - 1] != '"') FAIL(IDF_JSON_SYNTAX, at);
            uint8_t flags = escaped(at, end) ? 1 : 0;
            if (flags) if (const uint8_t *bad = bad_escape(text + at + 1, text + end - 1)) FAIL(IDF_JSON_ESCAPE, size_t(bad - text));
            tokens[count] = {at, end, count + 1, 'k', flags, uint16_t(depth)};
            count++;
            expect = COLON;
            continue;
        }
        case VALUE_OR_END:
            if (c == ']') break;
            [[fallthrough]];
        case VALUE: {
            const uint32_t number = count++;
            if (c == '{' || c == '[') {
                if (depth >= limit_depth) FAIL(IDF_JSON_DEPTH, at);
                tokens[number] = {at, 0, 0, c, 0, uint16_t(depth)};
                open[depth++] = number;
                expect = c == '{' ? NAME_OR_END : VALUE_OR_END;
                continue;
            }
            uint32_t end = following;
            while (end > at + 1 && is_space(text[end - 1])) end--;
            uint8_t flags = 0, kind = c;
            if (c == '"') {
                if (end <= at + 1 || text[end - 1] != '"') FAIL(IDF_JSON_SYNTAX, at);
                if (escaped(at, end)) {
                    flags = 1;
                    if (const uint8_t *bad = bad_escape(text + at + 1, text + end - 1)) FAIL(IDF_JSON_ESCAPE, size_t(bad - text));
                }
            } else if (c == '-' || is_digit(c)) {
                kind = '0';
                if (number_end(text + at, text + end, &flags) != text + end) FAIL(IDF_JSON_NUMBER, at);
            } else {
                const char *word = c == 't' ? "true" : c == 'f' ? "false" : c == 'n' ? "null" : nullptr;
                if (!word || end - at != strlen(word) || memcmp(text + at, word, end - at)) FAIL(IDF_JSON_SYNTAX, at);
            }
            tokens[number] = {at, end, number + 1, kind, flags, uint16_t(depth)};
            if (depth == 0) done = true;
            expect = COMMA_OR_END;
            continue;
        }
        }
        // Only a closing bracket comes here.
        idf_token &container = tokens[open[--depth]];
        container.end = at + 1;
        container.next = count;
        if (depth == 0) done = true;
        expect = COMMA_OR_END;
    }
    if (!done) FAIL(IDF_JSON_SYNTAX, length);
    json->count = count;
#undef FAIL
    return IDF_JSON_OK;
}
}
