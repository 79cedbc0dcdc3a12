/* Key management: what concerns the public half is left to the default provider. */
#include "key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

struct key *key_new(EVP_PKEY *pair, int has_private) {
    struct key *key = OPENSSL_zalloc(sizeof *key);
    if (key != NULL) {
        key->pair = pair;
        key->has_private = has_private;
    }
    return key;
}

void key_free(void *argument) {
    struct key *key = argument;
    if (key != NULL)
        EVP_PKEY_free(key->pair);
    OPENSSL_free(key);
}

static void *empty(void *provider) {
    (void)provider;
    return key_new(NULL, 0);
}

/* Takes the key that the store has found. */
static void *load(const void *reference, size_t size) {
    struct key **found = *(struct key ***)reference, *key = *found;
    *found = NULL;
    return size == sizeof found ? key : NULL;
}

static int has(const void *argument, int selection) {
    const struct key *key = argument;
    return key != NULL && key->pair != NULL && (!(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || key->has_private);
}

static int match(const void *one, const void *other, int selection) {
    (void)selection;
    return EVP_PKEY_eq(((const struct key *)one)->pair, ((const struct key *)other)->pair) == 1;
}

static EVP_PKEY_CTX *importing(void) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library, "EC", NULL);
    if (EVP_PKEY_fromdata_init(context) == 1)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

/* Public keys, to which one of ours is compared. */
static int import(void *argument, int selection, const OSSL_PARAM parameters[]) {
    struct key *key = argument;
    EVP_PKEY_CTX *context = importing();
    int done = EVP_PKEY_fromdata(context, &key->pair, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)parameters) == 1;
    (void)selection;
    EVP_PKEY_CTX_free(context);
    return done;
}

/* Never the private half: so nobody signs but this provider. */
static int export(void *argument, int selection, OSSL_CALLBACK *callback, void *callback_argument) {
    struct key *key = argument;
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && key->has_private)
        return 0;
    return EVP_PKEY_export(key->pair, selection, callback, callback_argument);
}

static const OSSL_PARAM *types(int selection) {
    EVP_PKEY_CTX *context = importing();
    const OSSL_PARAM *settable = EVP_PKEY_fromdata_settable(context, EVP_PKEY_PUBLIC_KEY);
    (void)selection;
    EVP_PKEY_CTX_free(context);
    return settable;
}

static int get_params(void *key, OSSL_PARAM parameters[]) {
    return EVP_PKEY_get_params(((struct key *)key)->pair, parameters);
}

static const OSSL_PARAM *gettable_params(void *provider) {
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)provider;
    return gettable;
}

static const char *operation_name(int operation) { return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL; }

const OSSL_DISPATCH key_management[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, empty),
    FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FUNCTION(OSSL_FUNC_KEYMGMT_LOAD, load),
    FUNCTION(OSSL_FUNC_KEYMGMT_HAS, has),
    FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, match),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, import),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, types),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, export),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, types),
    FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
    FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params),
    FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name),
    {0, NULL},
};
