// Gives Swift what the server needs of GnuTLS, the TLS library under libmicrohttpd. Functions return 0 or GnuTLS's error number.
#ifndef CMICROHTTPD_TLS_H
#define CMICROHTTPD_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stddef.h>
#include <string.h>

static inline gnutls_datum_t tls_datum(const unsigned char *bytes, size_t count) {
    gnutls_datum_t datum = {(unsigned char *)bytes, (unsigned int)count};
    return datum;
}

// Reads a PEM chain; `until` becomes the end of its first certificate's life in seconds since 1970.
static inline int tls_read_chain(const unsigned char *bytes, size_t count, long long *until) {
    gnutls_datum_t text = tls_datum(bytes, count);
    gnutls_x509_crt_t *chain = NULL;
    unsigned int length = 0;
    int code = gnutls_x509_crt_list_import2(&chain, &length, &text, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0) return code;
    if (length == 0) code = GNUTLS_E_NO_CERTIFICATE_FOUND;
    *until = length ? (long long)gnutls_x509_crt_get_expiration_time(chain[0]) : 0;
    for (unsigned int i = 0; i < length; i++) gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return code < 0 ? code : 0;
}

static inline int tls_read_key(const unsigned char *bytes, size_t count) {
    gnutls_datum_t text = tls_datum(bytes, count);
    gnutls_privkey_t key;
    int code = gnutls_privkey_init(&key);
    if (code < 0) return code;
    code = gnutls_privkey_import_x509_raw(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_privkey_deinit(key);
    return code;
}

static inline int tls_set_pair(
    gnutls_certificate_credentials_t credentials, const unsigned char *chain, size_t chain_count, const unsigned char *key,
    size_t key_count) {
    gnutls_datum_t chain_text = tls_datum(chain, chain_count);
    gnutls_datum_t key_text = tls_datum(key, key_count);
    return gnutls_certificate_set_x509_key_mem2(credentials, &chain_text, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static inline int tls_set_authorities(gnutls_certificate_credentials_t credentials, const unsigned char *bytes, size_t count) {
    gnutls_datum_t text = tls_datum(bytes, count);
    int code = gnutls_certificate_set_x509_trust_mem(credentials, &text, GNUTLS_X509_FMT_PEM);
    return code > 0 ? 0 : code < 0 ? code : GNUTLS_E_NO_CERTIFICATE_FOUND;
}

// GnuTLS leaves alerts to its user: without one the peer learns nothing but that the connection broke.
static inline int tls_refuse(gnutls_session_t session, gnutls_alert_description_t alert) {
    gnutls_alert_send(session, GNUTLS_AL_FATAL, alert);
    return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

// Called in the handshake when the peer has shown a certificate.
static inline int tls_verify_peer(gnutls_session_t session) {
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, .size = 0};
    unsigned int status = 0;
    int code = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    if (code == 0 && status == 0) return 0;
    if (status & GNUTLS_CERT_EXPIRED) return tls_refuse(session, GNUTLS_A_CERTIFICATE_EXPIRED);
    if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) return tls_refuse(session, GNUTLS_A_UNKNOWN_CA);
    return tls_refuse(session, GNUTLS_A_BAD_CERTIFICATE);
}

// Called in the handshake before the peer's certificate message is looked at: an empty one is nothing but zeros.
static inline int tls_see_certificate(
    gnutls_session_t session, unsigned int type, unsigned int when, unsigned int incoming, const gnutls_datum_t *message) {
    if (!incoming || when != GNUTLS_HOOK_PRE || !message || message->size > 4) return 0;
    for (unsigned int i = 0; i < message->size; i++)
        if (message->data[i]) return 0;
    int is_13 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
    return tls_refuse(session, is_13 ? GNUTLS_A_CERTIFICATE_REQUIRED : GNUTLS_A_HANDSHAKE_FAILURE);
}

// Gives a new connection its credentials in place of the daemon's; `mutual` refuses peers without a trusted certificate.
static inline int tls_adopt(gnutls_session_t session, gnutls_certificate_credentials_t credentials, int mutual) {
    if (mutual) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_function(session, tls_verify_peer);
        gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, GNUTLS_HOOK_PRE, tls_see_certificate);
    }
    return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
}

// The peer's names; `name` and `alternative` have room for `*_count` bytes and get their lengths, 0 for none. `kind` is "DNS" or
// "URI".
static inline void tls_peer_names(
    gnutls_session_t session, char *name, size_t *name_count, char *alternative, size_t *alternative_count, const char **kind) {
    size_t name_room = *name_count, alternative_room = *alternative_count;
    *name_count = *alternative_count = 0;
    unsigned int length = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &length);
    gnutls_x509_crt_t certificate;
    if (!chain || length == 0 || gnutls_x509_crt_init(&certificate) < 0) return;
    if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
        size_t size = name_room;
        if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) == 0) *name_count = size;
        for (unsigned int i = 0; *alternative_count == 0; i++) {
            size = alternative_room;
            int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, alternative, &size, NULL);
            if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) break;
            if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER) break;
            if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_URI) continue;
            *alternative_count = size;
            *kind = type == GNUTLS_SAN_DNSNAME ? "DNS" : "URI";
        }
    }
    gnutls_x509_crt_deinit(certificate);
}

#endif
