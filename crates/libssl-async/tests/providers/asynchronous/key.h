/* A P-256 key that signs asynchronously: a key pair of OpenSSL's default provider, in a library context of its own. */
#ifndef KEY_H
#define KEY_H

#include <openssl/core.h>
#include <openssl/evp.h>

struct key {
    EVP_PKEY *pair;
    int has_private;
};

/* Where the key pairs are. */
extern OSSL_LIB_CTX *library;

extern const OSSL_DISPATCH key_management[], signatures[], store[];

#define FUNCTION(number, function) {number, (void (*)(void))function}

struct key *key_new(EVP_PKEY *pair, int has_private);
void key_free(void *key);

#endif
