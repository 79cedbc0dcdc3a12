/* Every header that libssl-async-sys declares something of. */
#include <openssl/async.h>
#include <openssl/conf.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>
#endif

/* A macro for a type, made a type that bindgen sees. */
typedef OSSL_ASYNC_FD header_type;
#undef OSSL_ASYNC_FD
typedef header_type OSSL_ASYNC_FD;
