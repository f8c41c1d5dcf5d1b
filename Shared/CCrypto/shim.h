#pragma once
// The direct calls: EVP looks its algorithm up by name every time, which costs more than hashing an event.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stddef.h>

/// SHA-256 of `length` bytes into 32; 1 when done.
static inline int ccrypto_sha256(const void *bytes, size_t length, unsigned char *digest) {
    SHA256_CTX context;
    return SHA256_Init(&context) && SHA256_Update(&context, bytes, length) && SHA256_Final(digest, &context);
}

/// MD5 of `length` bytes into 16, where a format asks for it; 1 when done.
static inline int ccrypto_md5(const void *bytes, size_t length, unsigned char *digest) {
    MD5_CTX context;
    return MD5_Init(&context) && MD5_Update(&context, bytes, length) && MD5_Final(digest, &context);
}
