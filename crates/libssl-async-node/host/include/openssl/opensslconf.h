/* What Node's OpenSSL is built without, as far as `openssl-sys` asks. */
#define OPENSSL_NO_COMP
#define OPENSSL_NO_IDEA
#define OPENSSL_NO_SSL3_METHOD
