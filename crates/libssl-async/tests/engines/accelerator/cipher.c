#define OPENSSL_SUPPRESS_DEPRECATED
#include "cipher.h"

#include "accelerator.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

static EVP_CIPHER *gcm;

struct request {
    EVP_CIPHER_CTX *context;
    unsigned char *to;
    const unsigned char *from;
    size_t length;
};

/* Software that the accelerator runs on its own thread. */
static int software(EVP_CIPHER_CTX *context, unsigned char *to, const unsigned char *from, size_t length) {
    return EVP_CIPHER_meth_get_do_cipher(EVP_aes_128_gcm())(context, to, from, length);
}

/* As hardware does it, in memory of its own: both copies are calls that tools which watch memory see. */
static int work(void *argument) {
    struct request *request = argument;
    unsigned char *memory = OPENSSL_malloc(request->length);
    int result = -1;
    if (memory != NULL) {
        memcpy(memory, request->from, request->length);
        result = software(request->context, memory, memory, request->length);
        memcpy(request->to, memory, request->length);
    }
    OPENSSL_free(memory);
    return result;
}

/* What is authenticated only, and the tag, is not worth the way. */
static int encrypt_or_decrypt(EVP_CIPHER_CTX *context, unsigned char *to, const unsigned char *from, size_t length) {
    struct request request = {context, to, from, length};
    if (to == NULL || from == NULL || length == 0)
        return software(context, to, from, length);
    return accelerate(work, &request);
}

static int ciphers(ENGINE *engine, const EVP_CIPHER **cipher, const int **types, int type) {
    static const int served[] = {NID_aes_128_gcm};
    (void)engine;
    if (cipher == NULL) {
        *types = served;
        return 1;
    }
    *cipher = type == NID_aes_128_gcm ? gcm : NULL;
    return *cipher != NULL;
}

int cipher_bind(ENGINE *engine) {
    const EVP_CIPHER *own = EVP_aes_128_gcm();
    gcm = EVP_CIPHER_meth_new(NID_aes_128_gcm, EVP_CIPHER_get_block_size(own), EVP_CIPHER_get_key_length(own));
    return gcm != NULL && EVP_CIPHER_meth_set_iv_length(gcm, EVP_CIPHER_get_iv_length(own)) &&
           EVP_CIPHER_meth_set_flags(gcm, EVP_CIPHER_get_flags(own)) &&
           EVP_CIPHER_meth_set_impl_ctx_size(gcm, EVP_CIPHER_impl_ctx_size(own)) &&
           EVP_CIPHER_meth_set_init(gcm, EVP_CIPHER_meth_get_init(own)) &&
           EVP_CIPHER_meth_set_do_cipher(gcm, encrypt_or_decrypt) &&
           EVP_CIPHER_meth_set_cleanup(gcm, EVP_CIPHER_meth_get_cleanup(own)) &&
           EVP_CIPHER_meth_set_ctrl(gcm, EVP_CIPHER_meth_get_ctrl(own)) && ENGINE_set_ciphers(engine, ciphers);
}

void cipher_free(void) {
    EVP_CIPHER_meth_free(gcm);
    gcm = NULL;
}
