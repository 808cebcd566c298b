#pragma once
#include <stddef.h>
#include <sys/types.h>

/// A TLS server's certificate, and by whom its clients have to be vouched for where they show one.
typedef struct tls_server tls_server;
/// One connection after its handshake.
typedef struct tls_connection tls_connection;

/// Reads PEM files; NULL where one cannot be used.
tls_server *_Nullable tls_server_new(
    const char *_Nonnull certificate, const char *_Nonnull key, const char *_Nonnull authority);
/// Answers a handshake on a connected socket; NULL where it fails.
tls_connection *_Nullable tls_accept(tls_server *_Nonnull server, int descriptor);
ssize_t tls_read(tls_connection *_Nonnull connection, void *_Nonnull buffer, size_t count);
ssize_t tls_write(tls_connection *_Nonnull connection, const void *_Nonnull bytes, size_t count);
/// The common name of the client's certificate; empty where it showed none.
void tls_peer(tls_connection *_Nonnull connection, char *_Nonnull name, size_t size);
void tls_close(tls_connection *_Nonnull connection);
