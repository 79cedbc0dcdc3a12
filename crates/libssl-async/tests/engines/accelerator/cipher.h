/* AES-128-GCM, of which the accelerator encrypts and decrypts whole records. */
#ifndef CIPHER_H
#define CIPHER_H

#include <openssl/engine.h>

int cipher_bind(ENGINE *engine);
void cipher_free(void);

#endif
