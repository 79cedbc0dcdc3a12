/* ECDSA, which the accelerator computes. */
#include "../../engines/accelerator/accelerator.h"
#include "key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

struct context {
    struct key *key;
    char digest[32];
};

static void *new(void *provider, const char *properties) {
    (void)provider, (void)properties;
    return OPENSSL_zalloc(sizeof(struct context));
}

static void release(void *context) { OPENSSL_free(context); }

static int initialise(void *argument, const char *digest, void *key, const OSSL_PARAM parameters[]) {
    struct context *context = argument;
    (void)parameters;
    if (key != NULL)
        context->key = key;
    return OPENSSL_strlcpy(context->digest, digest, sizeof context->digest) < sizeof context->digest;
}

struct request {
    struct context *context;
    unsigned char *signature;
    size_t *length;
    const unsigned char *message;
    size_t message_length;
};

static int work(void *argument) {
    struct request *request = argument;
    EVP_MD_CTX *software = EVP_MD_CTX_new();
    int done = EVP_DigestSignInit_ex(software, NULL, request->context->digest, library, NULL,
                                     request->context->key->pair, NULL) == 1 &&
               EVP_DigestSign(software, request->signature, request->length, request->message,
                              request->message_length) == 1;
    EVP_MD_CTX_free(software);
    return done;
}

static int sign(void *argument, unsigned char *signature, size_t *length, size_t size, const unsigned char *message,
                size_t message_length) {
    struct context *context = argument;
    struct request request = {context, signature, length, message, message_length};
    size_t most = EVP_PKEY_get_size(context->key->pair);
    if (signature != NULL && size < most)
        return 0;
    *length = most;
    return signature == NULL || accelerate(work, &request);
}

const OSSL_DISPATCH signatures[] = {
    FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, new),
    FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, release),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, initialise),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign),
    {0, NULL},
};
