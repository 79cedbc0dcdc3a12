#define OPENSSL_SUPPRESS_DEPRECATED
#include "methods.h"

#include "accelerator.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static RSA_METHOD *rsa;
static EC_KEY_METHOD *ec;
static EVP_PKEY_METHOD *x25519;

/* Software that the accelerator runs on its own thread. */
static int (*x25519_generate)(EVP_PKEY_CTX *, EVP_PKEY *);
static int (*x25519_derive)(EVP_PKEY_CTX *, unsigned char *, size_t *);
static int (*ec_sign)(int, const unsigned char *, int, unsigned char *, unsigned int *, const BIGNUM *, const BIGNUM *,
                      EC_KEY *);

struct rsa_request {
    int (*function)(int, const unsigned char *, unsigned char *, RSA *, int);
    int length;
    const unsigned char *from;
    unsigned char *to;
    RSA *key;
    int padding;
};

static int rsa_work(void *argument) {
    struct rsa_request *request = argument;
    return request->function(request->length, request->from, request->to, request->key, request->padding);
}

static int rsa_sign(int length, const unsigned char *from, unsigned char *to, RSA *key, int padding) {
    struct rsa_request request = {RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL()), length, from, to, key, padding};
    return accelerate(rsa_work, &request);
}

static int rsa_decrypt(int length, const unsigned char *from, unsigned char *to, RSA *key, int padding) {
    struct rsa_request request = {RSA_meth_get_priv_dec(RSA_PKCS1_OpenSSL()), length, from, to, key, padding};
    return accelerate(rsa_work, &request);
}

struct ec_request {
    int type;
    const unsigned char *digest;
    int digest_length;
    unsigned char *signature;
    unsigned int *signature_length;
    const BIGNUM *k_inverse, *r;
    EC_KEY *key;
};

static int ec_work(void *argument) {
    struct ec_request *request = argument;
    return ec_sign(request->type, request->digest, request->digest_length, request->signature,
                   request->signature_length, request->k_inverse, request->r, request->key);
}

static int ec_sign_elsewhere(int type, const unsigned char *digest, int digest_length, unsigned char *signature,
                             unsigned int *signature_length, const BIGNUM *k_inverse, const BIGNUM *r, EC_KEY *key) {
    struct ec_request request = {type, digest, digest_length, signature, signature_length, k_inverse, r, key};
    return accelerate(ec_work, &request);
}

struct x25519_request {
    EVP_PKEY_CTX *context;
    EVP_PKEY *key;
    unsigned char *secret;
    size_t *length;
};

static int generate_work(void *argument) {
    struct x25519_request *request = argument;
    return x25519_generate(request->context, request->key);
}

static int generate(EVP_PKEY_CTX *context, EVP_PKEY *key) {
    struct x25519_request request = {context, key, NULL, NULL};
    return accelerate(generate_work, &request);
}

static int derive_work(void *argument) {
    struct x25519_request *request = argument;
    return x25519_derive(request->context, request->secret, request->length);
}

static int derive(EVP_PKEY_CTX *context, unsigned char *secret, size_t *length) {
    struct x25519_request request = {context, NULL, secret, length};
    /* Without room for the secret, it is only asked how long that is. */
    return secret == NULL ? x25519_derive(context, secret, length) : accelerate(derive_work, &request);
}

/* X25519 has no parameters: an empty key of the type is what libssl asks for. */
static int generate_parameters(EVP_PKEY_CTX *context, EVP_PKEY *key) {
    (void)context;
    return EVP_PKEY_set_type(key, EVP_PKEY_X25519);
}

static int x25519_control(EVP_PKEY_CTX *context, int type, int number, void *pointer) {
    (void)context, (void)number, (void)pointer;
    return type == EVP_PKEY_CTRL_PEER_KEY || type == EVP_PKEY_CTRL_EC_PARAMGEN_CURVE_NID ? 1 : -2;
}

static int pkey_methods(ENGINE *engine, EVP_PKEY_METHOD **method, const int **types, int type) {
    static const int served[] = {EVP_PKEY_X25519, 0};
    (void)engine;
    if (method == NULL) {
        *types = served;
        return 1;
    }
    *method = type == EVP_PKEY_X25519 ? x25519 : NULL;
    return *method != NULL;
}

static int make_x25519(void) {
    const EVP_PKEY_METHOD *software = EVP_PKEY_meth_find(EVP_PKEY_X25519);
    int (*unused)(EVP_PKEY_CTX *);
    x25519 = EVP_PKEY_meth_new(EVP_PKEY_X25519, 0);
    if (software == NULL || x25519 == NULL)
        return 0;
    EVP_PKEY_meth_copy(x25519, software);
    EVP_PKEY_meth_get_keygen(software, &unused, &x25519_generate);
    EVP_PKEY_meth_get_derive(software, &unused, &x25519_derive);
    EVP_PKEY_meth_set_paramgen(x25519, NULL, generate_parameters);
    EVP_PKEY_meth_set_keygen(x25519, NULL, generate);
    EVP_PKEY_meth_set_derive(x25519, NULL, derive);
    EVP_PKEY_meth_set_ctrl(x25519, x25519_control, NULL);
    return 1;
}

static int make_ec(void) {
    int (*set_up)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);
    ECDSA_SIG *(*sign_to_signature)(const unsigned char *, int, const BIGNUM *, const BIGNUM *, EC_KEY *);
    ec = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (ec == NULL)
        return 0;
    EC_KEY_METHOD_get_sign(ec, &ec_sign, &set_up, &sign_to_signature);
    EC_KEY_METHOD_set_sign(ec, ec_sign_elsewhere, set_up, sign_to_signature);
    return 1;
}

int methods_bind(ENGINE *engine) {
    rsa = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    return rsa != NULL && RSA_meth_set1_name(rsa, "asynchronous RSA") && RSA_meth_set_priv_enc(rsa, rsa_sign) &&
           RSA_meth_set_priv_dec(rsa, rsa_decrypt) && make_ec() && make_x25519() && ENGINE_set_RSA(engine, rsa) &&
           ENGINE_set_EC(engine, ec) && ENGINE_set_pkey_meths(engine, pkey_methods);
}

void methods_free(void) {
    RSA_meth_free(rsa);
    EC_KEY_METHOD_free(ec);
    /* libcrypto has freed the method of X25519 with the engine. */
    rsa = NULL, ec = NULL, x25519 = NULL;
}
