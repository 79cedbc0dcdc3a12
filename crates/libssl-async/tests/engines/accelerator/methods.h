/* What the accelerator computes: RSA and ECDSA signatures, and X25519. */
#ifndef METHODS_H
#define METHODS_H

#include <openssl/engine.h>

int methods_bind(ENGINE *engine);
void methods_free(void);

#endif
