#pragma once
#include <stdbool.h>
#include <stddef.h>

// libcrypto, loaded when something long is hashed, or something signed, for the first time.
//
// Linked, it costs every start 0.6 ms, and its first digest another 0.9 ms and 2 MiB (OpenSSL 3.0); a quiet tick
// needs neither.

struct ccrypto_sha256;

// A new digest; NULL where libcrypto cannot be loaded or will not make one.
struct ccrypto_sha256 *_Nullable ccrypto_sha256_new(void);
bool ccrypto_sha256_update(struct ccrypto_sha256 *_Nonnull digest, const void *_Nullable bytes, size_t count);
// Writes 32 bytes; the digest can then only be freed.
bool ccrypto_sha256_finish(struct ccrypto_sha256 *_Nonnull digest, unsigned char *_Nonnull output);
void ccrypto_sha256_free(struct ccrypto_sha256 *_Nonnull digest);

// Ed25519 (RFC 8032): a seed and a public key are 32 bytes, a signature is 64.

// Writes the public key of a seed; false where libcrypto cannot be loaded or has no Ed25519.
bool ccrypto_ed25519_public_key(const unsigned char *_Nonnull seed, unsigned char *_Nonnull output);
bool ccrypto_ed25519_sign(
    const unsigned char *_Nonnull seed, const unsigned char *_Nullable message, size_t length,
    unsigned char *_Nonnull output);

enum ccrypto_verdict { ccrypto_genuine, ccrypto_forged, ccrypto_unavailable };

enum ccrypto_verdict ccrypto_ed25519_verify(
    const unsigned char *_Nonnull public_key, const unsigned char *_Nullable message, size_t length,
    const unsigned char *_Nonnull signature);
