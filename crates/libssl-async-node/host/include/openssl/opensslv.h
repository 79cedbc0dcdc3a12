/*
 * The version that the host build of the addon is compiled for: that of its oldest host, Node 20. `openssl-sys` looks for it
 * in a header of this name; no C is compiled with it. The declarations themselves are compared with OpenSSL's own headers by
 * crates/header-check.
 */
#define OPENSSL_VERSION_MAJOR 3
#define OPENSSL_VERSION_MINOR 0
#define OPENSSL_VERSION_PATCH 0
