#pragma once
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stddef.h>

/// SHA-256 of `length` bytes into 32; 1 when done.
static inline int ccrypto_sha256(const void *bytes, size_t length, unsigned char *digest) {
    unsigned int written = 0;
    return EVP_Digest(bytes, length, digest, &written, EVP_sha256(), NULL);
}
