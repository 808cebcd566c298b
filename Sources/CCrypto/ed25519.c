#include "CCrypto.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <pthread.h>

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

// The header's own types, so that the compiler checks every call that goes through them.
static struct {
    __typeof__(&EVP_PKEY_new_raw_private_key) private_key;
    __typeof__(&EVP_PKEY_new_raw_public_key) public_key;
    __typeof__(&EVP_PKEY_get_raw_public_key) get_public_key;
    __typeof__(&EVP_PKEY_free) destroy_key;
    __typeof__(&EVP_MD_CTX_new) create;
    __typeof__(&EVP_MD_CTX_free) destroy;
    __typeof__(&EVP_DigestSignInit) begin_signing;
    __typeof__(&EVP_DigestSign) sign;
    __typeof__(&EVP_DigestVerifyInit) begin_verifying;
    __typeof__(&EVP_DigestVerify) verify;
} evp;

static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define LOAD(field, name) evp.field = (__typeof__(evp.field))dlsym(library, name)

static void load(void) {
    // As in crypto.c: the library that these headers belong to; never closed again.
    void *library = dlopen("libcrypto.so." TEXT_OF(OPENSSL_SHLIB_VERSION), RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    LOAD(private_key, "EVP_PKEY_new_raw_private_key");
    LOAD(public_key, "EVP_PKEY_new_raw_public_key");
    LOAD(get_public_key, "EVP_PKEY_get_raw_public_key");
    LOAD(destroy_key, "EVP_PKEY_free");
    LOAD(create, "EVP_MD_CTX_new");
    LOAD(destroy, "EVP_MD_CTX_free");
    LOAD(begin_signing, "EVP_DigestSignInit");
    LOAD(sign, "EVP_DigestSign");
    LOAD(begin_verifying, "EVP_DigestVerifyInit");
    LOAD(verify, "EVP_DigestVerify");
    loaded = evp.private_key && evp.public_key && evp.get_public_key && evp.destroy_key && evp.create &&
             evp.destroy && evp.begin_signing && evp.sign && evp.begin_verifying && evp.verify;
}

bool ccrypto_ed25519_public_key(const unsigned char *seed, unsigned char *output) {
    pthread_once(&once, load);
    if (!loaded) return false;
    EVP_PKEY *key = evp.private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    if (!key) return false;
    size_t count = 32;
    bool done = evp.get_public_key(key, output, &count) == 1 && count == 32;
    evp.destroy_key(key);
    return done;
}

bool ccrypto_ed25519_sign(
    const unsigned char *seed, const unsigned char *message, size_t length, unsigned char *output) {
    pthread_once(&once, load);
    if (!loaded) return false;
    EVP_PKEY *key = evp.private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = key ? evp.create() : NULL;
    size_t count = 64;
    bool done = context && evp.begin_signing(context, NULL, NULL, NULL, key) == 1 &&
                evp.sign(context, output, &count, message, length) == 1 && count == 64;
    if (context) evp.destroy(context);
    if (key) evp.destroy_key(key);
    return done;
}

enum ccrypto_verdict ccrypto_ed25519_verify(
    const unsigned char *public_key, const unsigned char *message, size_t length,
    const unsigned char *signature) {
    pthread_once(&once, load);
    if (!loaded) return ccrypto_unavailable;
    EVP_PKEY *key = evp.public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = key ? evp.create() : NULL;
    enum ccrypto_verdict verdict = ccrypto_unavailable;
    if (context && evp.begin_verifying(context, NULL, NULL, NULL, key) == 1)
        verdict = evp.verify(context, signature, 64, message, length) == 1 ? ccrypto_genuine : ccrypto_forged;
    if (context) evp.destroy(context);
    if (key) evp.destroy_key(key);
    return verdict;
}
