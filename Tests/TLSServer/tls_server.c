#include "tls_server.h"
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

struct tls_server { SSL_CTX *context; };
struct tls_connection { SSL *ssl; };

tls_server *tls_server_new(const char *certificate, const char *key, const char *authority) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) return NULL;
    tls_server *server = malloc(sizeof *server);
    if (!server || SSL_CTX_use_certificate_chain_file(context, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1
        || SSL_CTX_load_verify_locations(context, authority, NULL) != 1) {
        SSL_CTX_free(context);
        free(server);
        return NULL;
    }
    // As an API server: a certificate is asked for, and its absence is left to what comes after.
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    server->context = context;
    return server;
}

tls_connection *tls_accept(tls_server *server, int descriptor) {
    SSL *ssl = SSL_new(server->context);
    if (!ssl) return NULL;
    tls_connection *connection = malloc(sizeof *connection);
    if (!connection || SSL_set_fd(ssl, descriptor) != 1 || SSL_accept(ssl) != 1) {
        SSL_free(ssl);
        free(connection);
        return NULL;
    }
    connection->ssl = ssl;
    return connection;
}

ssize_t tls_read(tls_connection *connection, void *buffer, size_t count) {
    size_t done = 0;
    return SSL_read_ex(connection->ssl, buffer, count, &done) == 1 ? (ssize_t)done : -1;
}

ssize_t tls_write(tls_connection *connection, const void *bytes, size_t count) {
    size_t done = 0;
    return SSL_write_ex(connection->ssl, bytes, count, &done) == 1 ? (ssize_t)done : -1;
}

void tls_peer(tls_connection *connection, char *name, size_t size) {
    name[0] = 0;
    X509 *certificate = SSL_get1_peer_certificate(connection->ssl);
    if (!certificate) return;
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, (int)size);
    X509_free(certificate);
}

void tls_close(tls_connection *connection) {
    SSL_shutdown(connection->ssl);
    SSL_free(connection->ssl);
    free(connection);
}
