#include "CCrypto.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <pthread.h>

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

// The header's own types, so that the compiler checks every call that goes through them.
static struct {
    __typeof__(&EVP_MD_CTX_new) create;
    __typeof__(&EVP_MD_CTX_free) destroy;
    __typeof__(&EVP_sha256) algorithm;
    __typeof__(&EVP_DigestInit_ex) begin;
    __typeof__(&EVP_DigestUpdate) update;
    __typeof__(&EVP_DigestFinal_ex) finish;
} evp;

static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    // OPENSSL_SHLIB_VERSION is what the library that these headers belong to is called; never closed again.
    void *library = dlopen("libcrypto.so." TEXT_OF(OPENSSL_SHLIB_VERSION), RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    evp.create = (__typeof__(evp.create))dlsym(library, "EVP_MD_CTX_new");
    evp.destroy = (__typeof__(evp.destroy))dlsym(library, "EVP_MD_CTX_free");
    evp.algorithm = (__typeof__(evp.algorithm))dlsym(library, "EVP_sha256");
    evp.begin = (__typeof__(evp.begin))dlsym(library, "EVP_DigestInit_ex");
    evp.update = (__typeof__(evp.update))dlsym(library, "EVP_DigestUpdate");
    evp.finish = (__typeof__(evp.finish))dlsym(library, "EVP_DigestFinal_ex");
    loaded = evp.create && evp.destroy && evp.algorithm && evp.begin && evp.update && evp.finish;
}

struct ccrypto_sha256 *ccrypto_sha256_new(void) {
    pthread_once(&once, load);
    if (!loaded) return NULL;
    EVP_MD_CTX *context = evp.create();
    if (!context) return NULL;
    if (evp.begin(context, evp.algorithm(), NULL) != 1) {
        evp.destroy(context);
        return NULL;
    }
    return (struct ccrypto_sha256 *)context;
}

bool ccrypto_sha256_update(struct ccrypto_sha256 *digest, const void *bytes, size_t count) {
    return evp.update((EVP_MD_CTX *)digest, bytes, count) == 1;
}

bool ccrypto_sha256_finish(struct ccrypto_sha256 *digest, unsigned char *output) {
    unsigned int count = 0;
    return evp.finish((EVP_MD_CTX *)digest, output, &count) == 1 && count == 32;
}

void ccrypto_sha256_free(struct ccrypto_sha256 *digest) { evp.destroy((EVP_MD_CTX *)digest); }
