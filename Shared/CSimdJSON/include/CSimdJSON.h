#ifndef CSIMDJSON_H
#define CSIMDJSON_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One JSON token. Positions are byte offsets into the source text.
typedef struct {
    uint32_t start;  ///< first byte (of a string: the opening quote)
    uint32_t end;    ///< one past the last byte; of a container: past its closing bracket
    uint32_t next;   ///< index of the token after this value (after the whole container)
    uint8_t kind;    ///< '{' '[' 'k' (member name) '"' '0' (number) 't' 'f' 'n'
    uint8_t flags;   ///< 1: the string holds a backslash; the number has a fraction or exponent
} idf_token;

enum {
    IDF_JSON_OK = 0,
    IDF_JSON_EMPTY,
    IDF_JSON_UTF8,
    IDF_JSON_UNCLOSED_STRING,
    IDF_JSON_CONTROL_CHARACTER,
    IDF_JSON_DEPTH,
    IDF_JSON_SYNTAX,
    IDF_JSON_NUMBER,
    IDF_JSON_ESCAPE,
    IDF_JSON_TRAILING,
    IDF_JSON_MEMORY,
    IDF_JSON_TOO_LONG
};

typedef struct idf_json idf_json;

idf_json *idf_json_create(void);
void idf_json_destroy(idf_json *);
/// Reads one JSON text. Answers IDF_JSON_OK or an error; then `idf_json_error_offset` says where.
int idf_json_parse(idf_json *, const uint8_t *text, size_t length, uint32_t max_depth);
const idf_token *idf_json_tokens(const idf_json *);
size_t idf_json_count(const idf_json *);
size_t idf_json_error_offset(const idf_json *);

#ifdef __cplusplus
}
#endif
#endif
