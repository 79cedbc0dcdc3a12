/* A provider whose signatures are asynchronous, for the tests. Its parameters are `notify` and `queue`, as the commands of
 * the test engine. */
#include "../../engines/accelerator/accelerator.h"
#include "key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <stdlib.h>

OSSL_LIB_CTX *library;

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_store) {
    static const char properties[] = "provider=async-test";
    static const OSSL_ALGORITHM keys[] = {
        {"EC:id-ecPublicKey:1.2.840.10045.2.1", properties, key_management, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const OSSL_ALGORITHM signing[] = {{"ECDSA", properties, signatures, NULL}, {NULL, NULL, NULL, NULL}};
    static const OSSL_ALGORITHM stores[] = {{"async-test", properties, store, NULL}, {NULL, NULL, NULL, NULL}};
    (void)provider;
    *no_store = 0;
    return operation == OSSL_OP_KEYMGMT     ? keys
           : operation == OSSL_OP_SIGNATURE ? signing
           : operation == OSSL_OP_STORE     ? stores
                                            : NULL;
}

static const OSSL_DISPATCH functions[] = {
    FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
    {0, NULL},
};

static int configure(const OSSL_CORE_HANDLE *handle, OSSL_FUNC_core_get_params_fn *get_params) {
    const char *notify = "callback", *queue = "1024";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_ptr("notify", (char **)&notify, 0),
        OSSL_PARAM_construct_utf8_ptr("queue", (char **)&queue, 0),
        OSSL_PARAM_construct_end(),
    };
    if (get_params == NULL || !get_params(handle, parameters) || atoi(queue) < 1 || !accelerator_notify(notify))
        return 0;
    settings.queue_length = atoi(queue);
    return 1;
}

/* It stays in memory with its accelerator: keys may, too. */
int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **provided,
                       void **provider) {
    OSSL_FUNC_core_get_params_fn *get_params = NULL;
    for (; core->function_id != 0; core++)
        if (core->function_id == OSSL_FUNC_CORE_GET_PARAMS)
            get_params = OSSL_FUNC_core_get_params(core);
    if (!configure(handle, get_params))
        return 0;
    if (library == NULL && ((library = OSSL_LIB_CTX_new()) == NULL || !accelerator_start()))
        return 0;
    *provided = functions;
    *provider = (void *)handle;
    return 1;
}
