/* Keys by URI: `async-test:` and the path of a PEM file, whose passphrase is asked for. */
#include "key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/pem.h>
#include <string.h>

static const char scheme[] = "async-test:";

struct loader {
    char *path;
    int done;
};

struct asking {
    OSSL_PASSPHRASE_CALLBACK *ask;
    void *argument;
};

static void *open(void *provider, const char *uri) {
    struct loader *loader;
    (void)provider;
    if (strncmp(uri, scheme, strlen(scheme)) != 0 || (loader = OPENSSL_zalloc(sizeof *loader)) == NULL)
        return NULL;
    loader->path = OPENSSL_strdup(uri + strlen(scheme));
    return loader;
}

static int passphrase(char *buffer, int size, int writes, void *argument) {
    struct asking *asking = argument;
    size_t length;
    (void)writes;
    return asking->ask(buffer, size, &length, NULL, asking->argument) ? (int)length : -1;
}

static int load(void *argument, OSSL_CALLBACK *found, void *found_argument, OSSL_PASSPHRASE_CALLBACK *ask,
                void *ask_argument) {
    struct loader *loader = argument;
    struct asking asking = {ask, ask_argument};
    BIO *file = BIO_new_file(loader->path, "r");
    EVP_PKEY *pair = file == NULL ? NULL : PEM_read_bio_PrivateKey_ex(file, NULL, passphrase, &asking, library, NULL);
    struct key *key = pair == NULL ? NULL : key_new(pair, 1), **reference = &key;
    int type = OSSL_OBJECT_PKEY, done = 0;
    loader->done = 1;
    BIO_free(file);
    if (key != NULL) {
        OSSL_PARAM object[] = {
            OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
            OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, "EC", 0),
            OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &reference, sizeof reference),
            OSSL_PARAM_construct_end(),
        };
        done = found(object, found_argument);
        key_free(key);
    }
    return done;
}

static int at_end(void *loader) { return ((struct loader *)loader)->done; }

static int close(void *argument) {
    struct loader *loader = argument;
    OPENSSL_free(loader->path);
    OPENSSL_free(loader);
    return 1;
}

const OSSL_DISPATCH store[] = {
    FUNCTION(OSSL_FUNC_STORE_OPEN, open), FUNCTION(OSSL_FUNC_STORE_LOAD, load), FUNCTION(OSSL_FUNC_STORE_EOF, at_end),
    FUNCTION(OSSL_FUNC_STORE_CLOSE, close), {0, NULL},
};
